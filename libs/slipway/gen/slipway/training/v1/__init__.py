"""Generated from protos/slipway/training/v1 by scripts/generate; nothing is written here by hand."""
