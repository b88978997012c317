"""Generated from protos/slipway/monitor by scripts/generate; nothing is written here by hand."""
