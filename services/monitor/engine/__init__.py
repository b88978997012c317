"""One use case or loop a file: counting, answering, looking after the inbox and the lag."""
