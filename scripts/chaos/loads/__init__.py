"""Streams of calls, one file a service."""
