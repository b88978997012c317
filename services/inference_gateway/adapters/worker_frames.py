"""What the gateway and a worker say to each other: a packet a batch each way; the batch lies in shared memory."""

from __future__ import annotations

import enum
import json
import mmap
import struct
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from services.inference_gateway.adapters.worker_profile import Profile
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, TensorSpec

_HEAD = struct.Struct("<BBxxIQQQ")
_JSON_BYTES = struct.Struct("<I")
_TEXT_BYTES = 2048
LARGEST_PACKET = _HEAD.size + _TEXT_BYTES
FORKED = struct.Struct("<i")
"""The process id of a new worker, as who forks it says; 0 for none."""
MOST_DESCRIPTORS = 16
"""A worker is handed so many at most: its socket, its model, its slots."""


class Kind(enum.IntEnum):
    """What a packet says."""

    RUN = 1  # to the worker: a batch lies in the slot
    READY = 2  # from the worker, first: the model is loaded; the text is the provider's name
    RESULT = 3  # from the worker: the answers lie in the slot
    FAILED = 4  # from the worker: why there are none, as text


class Packet(NamedTuple):
    """A batch of ``rows`` takes the first ``used`` bytes of slot number ``slot``, which is ``size`` bytes large.

    Of an answer, ``ran_ns`` are the nanoseconds that the model itself took.
    """

    kind: int
    slot: int = 0
    rows: int = 0
    used: int = 0
    size: int = 0
    ran_ns: int = 0
    text: str = ""

    def pack(self) -> bytes:
        """Its bytes."""
        kind, slot, rows, used, size, ran_ns, text = self
        head = _HEAD.pack(kind, slot, rows, used, size, ran_ns)
        return head + text.encode()[:_TEXT_BYTES] if text else head

    @classmethod
    def unpack(cls, data: bytes) -> Packet:
        """A packet from its bytes. Raises struct.error for those of none."""
        text = data[_HEAD.size :].decode(errors="replace") if len(data) > _HEAD.size else ""
        kind, slot, rows, used, size, ran_ns = _HEAD.unpack_from(data)
        return cls(kind, slot, rows, used, size, ran_ns, text)


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a worker runs its model; ``gpu`` is CUDA's number of one."""

    version: str
    signature: Signature
    profile: Profile
    gpu: int | None = None
    memory_limit_bytes: int = 0


def pack_load(settings: LoadSettings, model: bytes) -> list[bytes]:
    """What a worker is started with, in pieces: its settings and its ONNX file."""
    text = json.dumps(asdict(settings)).encode()
    return [_JSON_BYTES.pack(len(text)), text, model]


def unpack_load(data: bytes | mmap.mmap) -> tuple[LoadSettings, bytes]:
    """The settings and the ONNX file."""
    (length,) = _JSON_BYTES.unpack_from(data)
    end = _JSON_BYTES.size + length
    facts = json.loads(data[_JSON_BYTES.size : end])
    read = {"signature": signature_of(facts["signature"]), "profile": Profile(**facts["profile"])}
    return LoadSettings(**facts | read), data[end:]


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
        facts.get("minimum"),
        facts.get("maximum"),
        facts.get("typical"),
    )
