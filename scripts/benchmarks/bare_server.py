"""The peer: a grpc.aio server that answers ModelInfer by ONNX Runtime in place, and does nothing else.

No worker process, no validation, no log, no metrics: what is left without everything that the gateway promises.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
import onnxruntime as ort

from slipway.gen.inference import inference_pb2 as pb

METHOD = "/inference.GRPCInferenceService/ModelInfer"


def session(model: bytes) -> Any:
    """ONNX Runtime as a worker of the gateway sets it up."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Bare:
    """Answers one method."""

    def __init__(self, model: bytes) -> None:
        self._session = session(model)

    async def infer(self, request: pb.ModelInferRequest, _: object) -> pb.ModelInferResponse:
        """The first output, raw."""
        feeds = {}
        for tensor in request.inputs:
            if tensor.datatype == "BYTES":
                values = np.array([one.decode() for one in tensor.contents.bytes_contents], object)
            else:
                values = np.array(list(tensor.contents.fp32_contents), np.float32)
            feeds[tensor.name] = values.reshape(list(tensor.shape))
        [output] = self._session.run(["p"], feeds)
        response = pb.ModelInferResponse(model_name=request.model_name, model_version="1")
        response.outputs.add(name="p", datatype="FP32", shape=output.shape)
        response.raw_output_contents.append(output.tobytes())
        return response


async def serve(model: bytes) -> None:
    """Print the port and serve until the parent closes this process's input."""
    handler = grpc.unary_unary_rpc_method_handler(
        Bare(model).infer,
        request_deserializer=pb.ModelInferRequest.FromString,
        response_serializer=pb.ModelInferResponse.SerializeToString,
    )
    server = grpc.aio.server()
    service, _, method = METHOD[1:].partition("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_bytes()))
