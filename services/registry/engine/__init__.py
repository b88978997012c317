"""One use case a file: what a call does, in which order, and what it announces."""
