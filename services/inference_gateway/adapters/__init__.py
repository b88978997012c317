"""Outbound: the registry, ONNX Runtime worker processes, the spooled prediction log, the snapshot file."""
