"""Outbound: the catalogue in SQL, the online store in Redis."""
