"""One use case or loop a file: counting, joining labels, answering, looking after the inbox and the lag."""
