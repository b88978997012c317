"""How Slipway's processes talk: gRPC servers from protobuf descriptors, and errors that cross the wire intact.

* :mod:`slipway.rpc.server`: a server with health, reflection, deadlines, error details, traces, metrics and a
  graceful drain; every handler takes raw bytes, so that junk is INVALID_ARGUMENT and never UNKNOWN.
* :mod:`slipway.rpc.front`: what listens for callers: gRPC itself or, quicker, the native front (``libs/front``).
* :mod:`slipway.rpc.call`: what a servicer's method may ask about the call it answers.
* :mod:`slipway.rpc.bundle`: what a service gives beside a method, for calls that came together.
* :mod:`slipway.rpc.message`: a message's bytes, parsed for a servicer's method, or left to one that knows better.
* :mod:`slipway.rpc.status`: kinds of errors to gRPC codes and back, with ``google.rpc`` details.
* :mod:`slipway.rpc.deadline`: the time that remains, passed on to whatever is called next.

This module imports nothing, so that the client can take ``status`` and ``deadline`` without the server.
"""
