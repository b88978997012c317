"""The schema, revision by revision; applied by `slipway-monitor migrate`."""
