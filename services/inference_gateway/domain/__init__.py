"""Values and rules of serving: pure, synchronous, on columns."""
