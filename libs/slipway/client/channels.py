"""The few names of gRPC that differ between its asynchronous and its synchronous API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import BinaryIO

import grpc
import grpc.aio

AsyncChannel = grpc.aio.Channel
Channel = grpc.Channel


def open_async_channel(address: str, options: Sequence[tuple[str, str | int]]) -> AsyncChannel:
    """A channel for the running event loop; it dials when it is first used."""
    return grpc.aio.insecure_channel(address, options=options)


def open_channel(address: str, options: Sequence[tuple[str, str | int]]) -> Channel:
    """A channel for threads; it dials when it is first used."""
    return grpc.insecure_channel(address, options=options)


async def async_read(file: BinaryIO, size: int) -> bytes:
    """At most ``size`` bytes of ``file``, read beside the event loop."""
    return await asyncio.to_thread(file.read, size)


def read(file: BinaryIO, size: int) -> bytes:
    """At most ``size`` bytes of ``file``."""
    return file.read(size)


async def async_pause(seconds: float) -> None:
    """Wait beside the event loop."""
    await asyncio.sleep(seconds)


def pause(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
