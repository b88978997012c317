"""Answering a batch, keeping what was answered, running what is desired, shipping the log."""
