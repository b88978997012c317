"""Generated from protos/slipway/training by scripts/generate; nothing is written here by hand."""
