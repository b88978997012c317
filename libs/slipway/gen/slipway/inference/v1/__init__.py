"""Generated from protos/slipway/inference/v1 by scripts/generate; nothing is written here by hand."""
