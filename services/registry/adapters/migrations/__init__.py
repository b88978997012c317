"""The schema, revision by revision; applied by `slipway-registry migrate`."""
