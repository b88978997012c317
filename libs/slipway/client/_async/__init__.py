"""One of the two clients: ``_async`` is written by hand, ``_sync`` is derived from it token by token."""
