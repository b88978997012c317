"""Inbound: the gRPC servicer."""
