"""Outbound: runs in SQL and in memory, workflows from modules, steps on threads."""
