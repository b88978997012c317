"""Generated from protos by scripts/generate; nothing is written here by hand."""
