"""MLServer over ONNX Runtime in its own process: a custom runtime as its guide writes them.

Runs in an environment of its own: mlserver_server.py FOLDER GRPC_PORT HTTP_PORT METRICS_PORT.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse


class OrtModel(MLModel):  # type: ignore[misc]  # mlserver is not in our environment
    """One ONNX file, one thread."""

    async def load(self) -> bool:
        """Open the session."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The one output of the one input."""
        values = NumpyCodec.decode_input(payload.inputs[0])
        [output] = self._session.run(["p"], {"x": np.asarray(values, np.float32)})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("p", output)])


def models_of(folder: Path) -> list[ModelSettings]:
    """Every ONNX file of the folder, under its name."""
    return [
        ModelSettings(name=path.stem, implementation=OrtModel, parameters=ModelParameters(uri=str(path)))
        for path in sorted(folder.glob("*.onnx"))
    ]


async def serve(models: list[ModelSettings], grpc_port: int, http_port: int, metrics_port: int) -> None:
    """Serve until a signal."""
    settings = Settings(
        host="127.0.0.1",
        grpc_port=grpc_port,
        http_port=http_port,
        metrics_port=metrics_port,
        parallel_workers=0,
        debug=False,
        load_models_at_startup=False,
    )
    logging.disable(logging.INFO)  # a line for each request would be most of its cost
    await MLServer(settings).start(models)


if __name__ == "__main__":
    asyncio.run(serve(models_of(Path(sys.argv[1])), *map(int, sys.argv[2:5])))
