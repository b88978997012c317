"""The gateway without a front or workers: its composition root, with what is outside of it answering at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmarks.models import TINY
from scripts.benchmarks.questions import ENTITY, VIEW, column_names, reading
from services.inference_gateway import main as root
from services.inference_gateway.config import GatewayConfig
from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.desired import Endpoint, Route, Step, VersionKey, VersionSpec
from services.inference_gateway.domain.device import Device
from services.inference_gateway.domain.features import FeatureColumn, Status
from services.inference_gateway.domain.outputs import Outputs
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, Tensors, TensorSpec
from services.inference_gateway.engine.admission import Admitted

NUMBER = 0.5
"""What every feature is."""
_FP32 = DataType.FP32


class AtOnce:
    """A worker: a row's answer is its first number."""

    pid = 0
    provider = "none"
    cause = ""
    memory_bytes = 0

    def __init__(self) -> None:
        self.died = asyncio.Event()

    async def run(self, inputs: Tensors) -> Outputs:
        """See ports.Worker."""
        first = next(iter(inputs.values()))
        return Outputs({"p": np.ascontiguousarray(first.reshape(len(first), -1)[:, :1], np.float32)})

    async def drained(self) -> None:
        """See ports.Worker."""

    async def stop(self) -> None:
        """See ports.Worker."""
        self.died.set()


class Workers:
    """Gives such workers."""

    devices = (Device(1),)

    def __init__(self, *_: object) -> None:
        """Take what the real ones take."""

    async def launch(self, spec: VersionSpec, model: bytes, device: Device) -> AtOnce:
        """See ports.Workers."""
        return AtOnce()

    async def aclose(self) -> None:
        """Nothing is there."""


class Models:
    """Artifacts that nobody opens."""

    def __init__(self, *_: object) -> None:
        """Take what the real ones take."""

    async def fetch(self, spec: VersionSpec) -> bytes:
        """See ports.Models."""
        return b""


class Registry:
    """One snapshot: an endpoint with a column of vectors, and one whose 32 columns are features."""

    connected = True

    def __init__(self, *_: object) -> None:
        """Take what the real one takes."""

    async def follow(self) -> AsyncIterator[Step]:
        """See ports.DesiredStates."""
        p = (TensorSpec("p", _FP32, (-1, 1)),)
        columns = tuple(ColumnSpec(name, _FP32, feature=f"{VIEW}:{name}") for name in column_names(TINY))
        vectors = Signature((ColumnSpec("x", _FP32, shape=(TINY.width,)),), p)
        features = Signature(columns, p, (ColumnSpec(ENTITY, DataType.BYTES),))
        versions = [VersionSpec(VersionKey("bench", n), "", one) for n, one in ((1, vectors), (2, features))]
        names = (TINY.name, reading(TINY))
        endpoints = [
            Endpoint(name, (Route("main", version.key, 1),), 1) for name, version in zip(names, versions, strict=True)
        ]
        yield Step(1, True, endpoints, (), versions)
        await asyncio.Event().wait()


class Features:
    """Every feature of every entity, true a second ago."""

    def __init__(self) -> None:
        """Nothing to open."""

    @classmethod
    @asynccontextmanager
    async def at(cls, *_: object) -> AsyncIterator[Features]:
        """Take what the real ones take."""
        yield cls()

    async def read(
        self, features: Sequence[str], keys: Sequence[Column], event_times_us: Array, *_: object, **__: object
    ) -> Mapping[str, FeatureColumn]:
        """See ports.Features."""
        rows = len(event_times_us)
        statuses = np.full(rows, Status.PRESENT, np.uint8)
        same = FeatureColumn(ValueKind.DOUBLE, np.full(rows, NUMBER), statuses, event_times_us - 1_000_000)
        return dict.fromkeys(features, same)


_INFER: Any = vars(root)["Infer"]


@asynccontextmanager
async def engine(folder: Path) -> AsyncIterator[Admitted]:
    """The engine as ``compose`` wires it, with its spool on disk and its versions up; what it logs is not shipped."""
    taken: list[Admitted] = []

    def taking(predict: Admitted, *others: Any) -> Any:
        taken.append(predict)
        return _INFER(predict, *others)

    vars(root).update(
        ProcessWorkers=Workers,
        RegistryModels=Models,
        RegistryStream=Registry,
        FeatureService=Features,
        Infer=taking,
    )
    async with root.compose(GatewayConfig(data=folder)) as parts:
        loops = (parts.syncing, parts.following)
        for loop in loops:
            await loop.start()
        await parts.warmed.start()
        try:
            yield taken[0]
        finally:
            for loop in reversed(loops):
                await loop.stop()
