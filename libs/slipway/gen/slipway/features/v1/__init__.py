"""Generated from protos/slipway/features/v1 by scripts/generate; nothing is written here by hand."""
