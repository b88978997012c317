"""Values and rules of the registry: pure, synchronous."""
