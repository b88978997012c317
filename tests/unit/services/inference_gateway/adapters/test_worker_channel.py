"""The gateway's end of the line, with a worker at the other that says what it should not."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from services.inference_gateway.adapters.worker_channel import Channel
from services.inference_gateway.adapters.worker_frames import Kind, Packet
from services.inference_gateway.adapters.worker_memory import Slot
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, TensorSpec
from services.inference_gateway.domain.worker_errors import ModelFailed, WorkerDied

SIGNATURE = Signature((ColumnSpec("x", DataType.FP32),), (TensorSpec("y", DataType.BYTES, (-1,)),))
ROWS = 3


class Line:
    """A channel that waits for one answer, and the worker's end of it."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self.slots = [Slot.make(), Slot.make()]
        self.ended: list[str] = []
        self.channel = Channel("m/1", SIGNATURE, ours, self.slots, self.ended.append)

    async def ask(self) -> asyncio.Task[Any]:
        self.theirs.send(Packet(Kind.READY, text="CPUExecutionProvider").pack())
        await self.channel.loaded(10.0)
        asked = asyncio.create_task(self.channel.run({"x": np.zeros(ROWS, np.float32)}, 10.0))
        await asyncio.sleep(0)
        self.packet = Packet.unpack(self.theirs.recv(100))
        return asked


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    yield line
    line.channel.close()
    line.theirs.close()


@pytest.mark.parametrize(
    "said",
    [
        b"\x03",
        b"junk" * 20,
        Packet(Kind.RESULT, slot=9).pack(),
        Packet(Kind.READY, slot=9, text="again").pack(),
        Packet(Kind.RESULT, slot=1, used=2**40, size=64 * 1024).pack(),
        Packet(Kind.RESULT, slot=1, used=8, size=2**63).pack(),
        Packet(Kind.RESULT, slot=1, used=8, size=128 * 1024).pack(),
        Packet(Kind.RESULT, slot=1, used=8, size=1).pack(),
    ],
)
async def test_a_worker_that_lies_is_ended(line: Line, said: bytes) -> None:
    asked = await line.ask()
    line.theirs.send(said)
    with pytest.raises(WorkerDied):
        await asked
    assert line.ended == ["ended because it broke the protocol"]
    with pytest.raises(WorkerDied):
        await line.channel.run({"x": np.zeros(1, np.float32)}, 10.0)


@pytest.mark.parametrize("used", [0, 5, 64])
async def test_an_answer_that_is_none_costs_its_batch_alone(line: Line, used: int) -> None:
    asked = await line.ask()
    line.slots[line.packet.slot].memory[:64] = b"\xff" * 64
    line.theirs.send(Packet(Kind.RESULT, line.packet.slot, ROWS, used, line.packet.size).pack())
    with pytest.raises(ModelFailed, match="m/1 failed on this batch: its answer "):
        await asked
    assert line.ended == []


async def test_no_worker_can_cut_the_memory_that_is_read(line: Line) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(line.slots[0].descriptor, 10)
