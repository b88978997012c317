"""Values and rules of the monitor: pure, synchronous."""
