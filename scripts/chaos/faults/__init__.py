"""Ways to disturb a running platform, one kind a file."""
