"""The schema, revision by revision; applied by `slipway-training migrate`."""
