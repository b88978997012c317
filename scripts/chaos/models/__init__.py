"""What must hold of a history, one file a service. Pure functions."""
