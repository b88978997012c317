"""Benchmarks: each compares this platform with a peer and with the physical limit, in one run, and prints ratios."""
