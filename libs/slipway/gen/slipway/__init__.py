"""Generated from protos/slipway by scripts/generate; nothing is written here by hand."""
