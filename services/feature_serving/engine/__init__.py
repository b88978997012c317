"""One use case a file: views, feature services, reads, writes, and how far views have come."""
