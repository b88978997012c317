"""Inbound: the prediction log's consumer and the gRPC servicer."""
