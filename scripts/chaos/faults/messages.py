"""Messages that nobody should have sent, and messages that come again and in another order."""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime

from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene
from scripts.chaos.topics import read_all
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.events.sqlite import SqliteEventLog

_AT_ONCE = 5
_AGAIN = 200


class Poison(Plain):
    """Bytes that are no message, on every topic that the service reads."""

    name = "poison"

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        return None if needs.topics else "it reads no topic"

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        began_s, now = time.monotonic(), datetime.now(UTC)
        events = [
            Event(f"poison-{uuid.uuid4().hex}", topic, f"k{number}", "poison", "/faults", now, _junk(dice))
            for topic in needs.topics
            for number in range(_AT_ONCE)
        ]
        for event in events:
            await scene.publisher.publish([event])
        facts = {"ids": [one.id for one in events]}
        return Injection(began_s, f"{_AT_ONCE} junk messages a topic", facts=facts)


class Redeliver(Plain):
    """The latest messages of the service's topics come again, shuffled, under the ids that they had."""

    name = "redeliver"

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        return None if needs.fed else "nothing that its load does comes to it by a topic"

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        began_s, again = time.monotonic(), 0
        async with open_log(scene.platform.events) as log:
            for topic in sorted(needs.fed):
                records = (await read_all(log, topic))[-_AGAIN:]
                if records and isinstance(log, SqliteEventLog):
                    # This log never gives an id twice while it holds it.
                    await log.trim(topic, before_offset=records[-1].offset + 1)
                dice.shuffle(records)
                await log.publisher().publish([one.event for one in records])
                again += len(records)
        return Injection(began_s, "the latest messages again, shuffled", struck=again > 0, facts={"messages": again})


def _junk(dice: random.Random) -> bytes:
    # A field of wire type 7, which there is not, so that no message of any kind parses; then anything.
    return b"\x0f" + dice.randbytes(dice.randint(1, 200))
