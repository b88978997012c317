"""Outbound: the catalogue and the watermarks in SQL, the online store in Redis, metrics in OpenTelemetry."""
