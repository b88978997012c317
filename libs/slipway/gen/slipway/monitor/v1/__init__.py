"""Generated from protos/slipway/monitor/v1 by scripts/generate; nothing is written here by hand."""
