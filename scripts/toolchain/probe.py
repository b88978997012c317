"""``python -m scripts.toolchain.probe HOST:PORT``: whether a gRPC server there says that it serves."""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_DEADLINE_S = 3.0


def serving(address: str) -> bool:
    """Ask the server at ``address`` (``host:port``) once; False when it does not answer within 3 s."""
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=_DEADLINE_S)
        except grpc.RpcError as error:
            print(f"{address}: {error.code().name}")
            return False
    print(f"{address}: {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}")
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m scripts.toolchain.probe HOST:PORT")
    sys.exit(0 if serving(sys.argv[1]) else 1)
