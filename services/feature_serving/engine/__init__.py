"""One use case a file: storing and finding views."""
