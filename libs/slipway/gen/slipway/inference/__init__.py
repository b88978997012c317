"""Generated from protos/slipway/inference by scripts/generate; nothing is written here by hand."""
