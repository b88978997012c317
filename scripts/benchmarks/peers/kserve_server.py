"""KServe's Python server over ONNX Runtime in its own process: a custom model as its guide writes them.

Runs in an environment of its own: kserve_server.py FOLDER GRPC_PORT HTTP_PORT UNUSED.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import onnxruntime as ort
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class OrtModel(Model):  # type: ignore[misc]  # kserve is not in our environment
    """One ONNX file, one thread."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.ready = True

    async def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        """The one output of the one input."""
        [output] = self._session.run(["p"], {"x": payload.inputs[0].as_numpy()})
        found = InferOutput(name="p", shape=list(output.shape), datatype="FP32")
        found.set_data_from_numpy(output, binary_data=True)
        return InferResponse(response_id=payload.id or "", model_name=self.name, infer_outputs=[found])


def serve(folder: Path, grpc_port: int, http_port: int) -> None:
    """Serve every ONNX file of the folder under its name."""
    logging.disable(logging.INFO)  # a line for each request would be most of its cost
    server = ModelServer(http_port=http_port, grpc_port=grpc_port, workers=1, enable_latency_logging=False)
    server.start([OrtModel(path) for path in sorted(folder.glob("*.onnx"))])


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
