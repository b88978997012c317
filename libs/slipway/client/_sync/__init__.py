# Generated from libs/slipway/client/_async/__init__.py by scripts/generate; do not edit.
"""One of the two clients: ``_async`` is written by hand, ``_sync`` is derived from it token by token."""
