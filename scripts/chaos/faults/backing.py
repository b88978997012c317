"""What lies under the services: Redis that forgets, and servers that are restarted."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import time
from contextlib import suppress

import redis.asyncio
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene
from slipway.supervisor.fleet import BROKERS

_GONE_S = 30.0
_LOST_S, _WHOLE_WITHIN_S, _LOOK_S = (0.0, 3.0), 60.0, 0.5


class RedisFlush(Plain):
    """FLUSHALL: every value online is gone at once."""

    name = "redis-flush"

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        return None if "redis" in needs.backing else "it keeps nothing in Redis"

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        async with redis.asyncio.from_url(scene.platform.redis()) as client:
            began_s = time.monotonic()
            await client.flushall()
        return Injection(began_s, "FLUSHALL")


class _Restart(Plain):
    """A backing server is ended, by ``kill -9`` or in order, and the supervisor starts it again."""

    name = ""
    unit = ""

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        return None if profile == "stack" else f"the embedded profile has no {self.unit}: files take its place"

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        number = dice.choice((signal.SIGKILL, scene.platform.stop_signal(self.unit)))
        pid = await scene.platform.pid_of_serving(self.unit)
        began_s = time.monotonic()
        os.kill(pid, number)
        if not await scene.platform.died(self.unit, pid, _GONE_S):
            os.kill(pid, signal.SIGKILL)
        return Injection(began_s, f"{number.name} {self.unit}")


class BrokerRestart(_Restart):
    """The Kafka broker goes away and comes again."""

    name, unit = "broker-restart", "kafka"


class BrokerLost(Plain):
    """One of three brokers dies, and its disk with it; it comes again with an empty one."""

    name = "broker-lost"

    @property
    def brokers(self) -> int:
        """See Fault."""
        return 3

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        return None if profile == "stack" else "the embedded profile has no brokers: a file takes their place"

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        unit = dice.choice(BROKERS)
        pid = await scene.platform.pid_of_serving(unit)
        began_s = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await scene.platform.died(unit, pid, _GONE_S)
        shutil.rmtree(scene.platform.folder / "stack" / unit / "logs", ignore_errors=True)
        await asyncio.sleep(dice.uniform(*_LOST_S))
        # The next round may take another, and two of three have to have everything by then.
        await scene.platform.pid_of_serving(unit)
        whole = await _whole(scene.platform.events)
        return Injection(began_s, f"{unit} and its disk lost", struck=whole)


async def _whole(events: str) -> bool:
    """Wait until every copy of every partition has caught up; whether it came in time."""
    client = AdminClient({"bootstrap.servers": events.removeprefix("kafka://"), "log_level": 0})
    until_s = time.monotonic() + _WHOLE_WITHIN_S
    while time.monotonic() < until_s:
        with suppress(KafkaException):  # a broker that has just come does not answer for all yet
            known = await asyncio.to_thread(client.list_topics, timeout=_LOOK_S)
            partitions = [one for topic in known.topics.values() for one in topic.partitions.values()]
            if len(known.brokers) == len(BROKERS) and all(len(one.isrs) == len(BROKERS) for one in partitions):
                return True
        await asyncio.sleep(_LOOK_S)
    return False


class DatabaseRestart(_Restart):
    """PostgreSQL goes away and comes again."""

    name, unit = "database-restart", "postgres"

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        if not needs.tables:
            return "it has no tables"
        return super().unsuited(needs, profile)
