"""The frames between the gateway and a worker, over a Unix socket pair.

A frame is its body's length, the id of the request it belongs to, its kind, and the body.
"""

from __future__ import annotations

import enum
import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, TensorSpec

HEAD = struct.Struct("<QQB")
_JSON_BYTES = struct.Struct("<I")


class Kind(enum.IntEnum):
    """What a frame's body is."""

    LOAD = 1  # to the worker: settings as JSON, then the ONNX file
    RUN = 2  # to the worker: tensors
    READY = 3  # from the worker: the provider's name
    RESULT = 4  # from the worker: tensors
    FAILED = 5  # from the worker: why, as text


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a worker runs its model; ``intra_op_threads`` 0 lets ONNX Runtime choose, ``gpu`` is CUDA's number of one."""

    version: str
    signature: Signature
    intra_op_threads: int
    gpu: int | None = None
    memory_limit_bytes: int = 0


def frame(kind: Kind, request: int, body: bytes) -> bytes:
    """One frame."""
    return HEAD.pack(len(body), request, kind) + body


def pack_load(settings: LoadSettings, model: bytes) -> bytes:
    """The body of a LOAD frame."""
    text = json.dumps(asdict(settings)).encode()
    return _JSON_BYTES.pack(len(text)) + text + model


def unpack_load(body: bytes) -> tuple[LoadSettings, bytes]:
    """The settings and the ONNX file of a LOAD frame."""
    (length,) = _JSON_BYTES.unpack_from(body)
    end = _JSON_BYTES.size + length
    facts = json.loads(body[_JSON_BYTES.size : end])
    return LoadSettings(**facts | {"signature": signature_of(facts["signature"])}), body[end:]


def signature_of(facts: dict[str, Any]) -> Signature:
    """A signature from its plain form, as :func:`dataclasses.asdict` gives it, now or before features or shapes."""
    return Signature(
        tuple(_column_of(one) for one in facts["inputs"]),
        tuple(TensorSpec(one["name"], DataType(one["datatype"]), tuple(one["shape"])) for one in facts["outputs"]),
        tuple(_column_of(one) for one in facts.get("entities", ())),
    )


def _column_of(facts: dict[str, Any]) -> ColumnSpec:
    return ColumnSpec(
        facts["name"],
        DataType(facts["datatype"]),
        facts["nullable"],
        facts.get("feature", ""),
        tuple(facts.get("shape", ())),
    )
