"""Outbound: the catalogue in SQL and in memory."""
