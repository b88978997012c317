"""Generated from protos/slipway/registry by scripts/generate; nothing is written here by hand."""
