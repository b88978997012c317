"""Inbound: the consumer of predictions and labels and the gRPC servicer."""
