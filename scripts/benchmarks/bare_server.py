"""The floor: a grpc.aio server that answers ModelInfer by ONNX Runtime in place, and does nothing else.

No worker process, no validation, no log, no metrics: what is left without everything that the gateway promises.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc.aio
import numpy as np

from scripts.benchmarks.models import session
from slipway.gen.inference import inference_pb2 as pb


class Bare:
    """Answers one method, for the models of a folder."""

    def __init__(self, folder: Path) -> None:
        self._sessions = {path.stem: session(path.read_bytes()) for path in folder.glob("*.onnx")}

    async def infer(self, request: pb.ModelInferRequest, _: object) -> pb.ModelInferResponse:
        """The one output of the one input, raw both."""
        [tensor], [raw] = request.inputs, request.raw_input_contents
        values = np.frombuffer(raw, np.float32).reshape(tensor.shape)
        [output] = self._sessions[request.model_name].run(["p"], {tensor.name: values})
        response = pb.ModelInferResponse(model_name=request.model_name, model_version="1")
        response.outputs.add(name="p", datatype="FP32", shape=output.shape)
        response.raw_output_contents.append(output.tobytes())
        return response


async def serve(folder: Path, port: int) -> None:
    """Serve until the parent ends this process."""
    handler = grpc.unary_unary_rpc_method_handler(
        Bare(folder).infer,
        request_deserializer=pb.ModelInferRequest.FromString,
        response_serializer=pb.ModelInferResponse.SerializeToString,
    )
    server = grpc.aio.server()
    service = grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {"ModelInfer": handler})
    server.add_generic_rpc_handlers((service,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
