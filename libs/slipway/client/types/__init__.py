"""What the client gives and takes: frozen values, one module an area, free of gRPC and protobuf.

Times are aware datetimes in UTC. A field that the service sets is ignored in requests and has a default, so
that a caller need not fill it.
"""
