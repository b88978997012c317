"""Generated from protos/slipway/features by scripts/generate; nothing is written here by hand."""
