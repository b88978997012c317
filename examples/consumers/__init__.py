"""Consumers of the platform's topics: see docs/events.md."""
