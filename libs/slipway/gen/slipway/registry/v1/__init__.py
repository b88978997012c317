"""Generated from protos/slipway/registry/v1 by scripts/generate; nothing is written here by hand."""
