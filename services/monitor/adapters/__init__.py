"""Outbound: tables in SQL, metrics in OpenTelemetry."""
