"""The schema, revision by revision; applied by `slipway-features migrate`."""
