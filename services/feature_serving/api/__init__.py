"""Inbound: the gRPC servicer, and the consumer of rows."""
