"""What feature serving's engine needs from outside, a file a noun."""
