"""What a model takes, gives, and how it is served, in the Open Inference Protocol's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.inference_gateway.domain.batch import MAX_ROWS
from services.inference_gateway.domain.signature import ColumnSpec, DataType
from services.inference_gateway.engine.arm import Arm
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.inference import model_config_pb2 as config_pb

PLATFORM = "onnxruntime_onnx"
BACKEND = "onnxruntime"


def encode_metadata(endpoint: str, arm: Arm, versions: Sequence[int]) -> pb.ModelMetadataResponse:
    """The tensors of an arm, with the dimension of the batch first; ``versions`` are all that answer."""
    response = pb.ModelMetadataResponse(name=endpoint, versions=[str(one) for one in versions], platform=PLATFORM)
    for column in arm.runner.spec.signature.inputs:
        response.inputs.add(name=column.name, datatype=column.datatype, shape=[-1, *_dims(column)])
    for tensor in arm.runner.spec.signature.outputs:
        response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
    return response


def encode_config(endpoint: str, arm: Arm, versions: Sequence[int]) -> config_pb.ModelConfig:
    """How an arm is served; dimensions come without that of the batch."""
    config = config_pb.ModelConfig(
        name=endpoint, platform=PLATFORM, backend=BACKEND, max_batch_size=MAX_ROWS, model_transaction_policy={}
    )
    config.version_policy.specific.versions.extend(versions)
    config.dynamic_batching.max_queue_delay_microseconds = 0
    for column in arm.runner.spec.signature.inputs:
        config.input.add(
            name=column.name, data_type=_data_type(column.datatype), dims=_dims(column), optional=column.nullable
        )
    for tensor in arm.runner.spec.signature.outputs:
        config.output.add(name=tensor.name, data_type=_data_type(tensor.datatype), dims=tensor.shape[1:])
    for provider, count in Counter(worker.provider for worker in arm.runner.workers).items():
        on_gpu = provider.startswith("CUDA")
        kind = config_pb.ModelInstanceGroup.KIND_GPU if on_gpu else config_pb.ModelInstanceGroup.KIND_CPU
        config.instance_group.add(name=provider, count=count, kind=kind)
    return config


def _dims(column: ColumnSpec) -> list[int]:
    """A row's dimensions in a column, one at least."""
    return list(column.shape or (1,))


def _data_type(kind: DataType) -> config_pb.DataType:
    return getattr(config_pb, "TYPE_STRING" if kind is DataType.BYTES else f"TYPE_{kind}")  # type: ignore[no-any-return]
