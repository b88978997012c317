"""Generated from protos/inference by scripts/generate; nothing is written here by hand."""
