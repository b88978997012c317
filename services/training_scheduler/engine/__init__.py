"""One use case or loop per file."""
