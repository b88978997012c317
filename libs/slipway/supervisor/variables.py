"""The environment variables that name the servers of the stack profile."""

VARIABLES = {"kafka": "SLIPWAY_KAFKA", "postgres": "SLIPWAY_POSTGRES", "redis": "SLIPWAY_REDIS"}
"""Server to variable: ``host:port[,host:port]``, the URL of a login that may make databases, a Redis URL."""
