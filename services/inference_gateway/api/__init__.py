"""Inbound: Slipway's own gRPC API, the Open Inference Protocol over gRPC and REST."""
