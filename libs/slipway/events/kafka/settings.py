"""What librdkafka is told."""

from __future__ import annotations

import logging
import time
from typing import Any

from slipway.events.kafka.address import Address

log = logging.getLogger("slipway.events.kafka")


class _Seldom:
    """Lets a client's complaint through once in half a minute, for a broker that is away is tried ten times a second.

    Its word that a setting of ours is experimental never comes through: the one that ends a producer that would leave
    a gap.
    """

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, line: logging.LogRecord) -> bool:
        text = line.getMessage()
        facility = text.partition(" ")[0]
        now, before = time.monotonic(), self._told.get(facility)
        if facility == "CONFWARN" or (before is not None and now - before < _SELDOM_S):
            return False
        self._told[facility] = now
        return True


log.addFilter(_Seldom())

ROOM_BYTES = 64 * 1024
"""What a message may have beside what counts against an event's limit: its attributes, and why it is a dead letter."""

_SELDOM_S = 30.0
_QUEUE_KB = 32 * 1024
_PREFETCH_KB = 16 * 1024
_LARGEST = 256 * 1024 * 1024


def common(address: Address) -> dict[str, Any]:
    """What every client needs: to come back within a second of a broker, and to wait for none for long."""
    return {
        "bootstrap.servers": address.bootstrap,
        "client.id": "slipway",
        "logger": log,
        "log.connection.close": False,
        "allow.auto.create.topics": False,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "socket.connection.setup.timeout.ms": 5000,
        "socket.timeout.ms": 10_000,
        "topic.metadata.refresh.interval.ms": 30_000,
    }


def asking(address: Address) -> dict[str, Any]:
    """A client for questions about topics and groups; it is quiet, for nobody would serve what it logs."""
    told = common(address) | {"log_level": 0}
    del told["logger"]
    return told


def producing(address: Address, limit_bytes: int) -> dict[str, Any]:
    """A producer whose messages are in the log once and in order, as far as they are there at all.

    It never gives a message up by itself: who publishes does, and then gives up all that come after it, too.
    """
    return common(address) | {
        "acks": "all",
        "enable.idempotence": True,
        "enable.gapless.guarantee": True,
        "message.timeout.ms": 0,
        "delivery.report.only.error": True,
        "queue.buffering.max.kbytes": _QUEUE_KB,
        # Java's choice of a partition for a key: producers of other languages share keys with us.
        "partitioner": "murmur2_random",
        "message.max.bytes": _LARGEST,
        # A batch counts against the topic's limit, not each of its messages.
        "batch.size": max(1, min(1024 * 1024, limit_bytes)),
        "linger.ms": 2,
    }


def consuming(address: Address, group: str) -> dict[str, Any]:
    """A member of ``group`` that commits by hand."""
    session_ms = int(address.session_s * 1000)
    return common(address) | {
        "group.id": f"{address.prefix}{group}",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        # A member at work holds up none but those that wait for its own partitions.
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": session_ms,
        "heartbeat.interval.ms": max(200, session_ms // 4),
        "fetch.wait.max.ms": 250,
        "fetch.error.backoff.ms": 100,
        "queued.max.messages.kbytes": _PREFETCH_KB,
        "receive.message.max.bytes": _LARGEST + 1024,
        "fetch.message.max.bytes": 4 * 1024 * 1024,
        "fetch.max.bytes": 16 * 1024 * 1024,
        "isolation.level": "read_committed",
    }


def reading(address: Address) -> dict[str, Any]:
    """A reader outside of any group, which the driver wants named all the same."""
    return consuming(address, "slipway.read") | {"enable.partition.eof": True, "fetch.wait.max.ms": 20}
