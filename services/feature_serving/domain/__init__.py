"""Values and rules of the feature catalogue: pure, synchronous."""
