"""One member of a group on the embedded log."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.events.errors import Fenced
from slipway.events.port import Record, dead_letter_topic
from slipway.events.sqlite import records
from slipway.events.sqlite.files import ValueFiles, looked_up
from slipway.events.sqlite.thread import SqliteThread, writing

_POLL_BYTES = 16 * 1024 * 1024
# Whether the file was written to shows at once in what the file system says of it, which costs a hundredth of a look;
# but for two writes in one tick of its clock, so there is a look now and then all the same.
_LOOK_S = 0.05
_FIRST_GLANCE_S = 0.001
_LAST_GLANCE_S = 0.005
# Others' topics are written to all the while: who has found nothing of its own for so long looks less often.
_QUIET_S = 0.2
_ERROR_CHARACTERS = 1000


@dataclass
class Claim:
    """A member's hold on a topic: where it reads next, and the epoch that its commits must name."""

    topic: int
    epoch: int
    next_offset: int


class SqliteConsumer:
    """See :class:`slipway.events.Consumer`."""

    def __init__(
        self, path: Path, thread: SqliteThread, files: ValueFiles, group: str, claims: Mapping[str, Claim]
    ) -> None:
        self._journal = path.with_name(f"{path.name}-wal")
        self._thread = thread
        self._files = files
        self._group = group
        self._claims = dict(claims)
        self._seen_version: int | None = None
        self._found_at = 0.0

    async def poll(self, limit: int, timeout_s: float) -> Sequence[Record]:
        """See :meth:`slipway.events.Consumer.poll`."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + timeout_s
        while True:
            before = self._glance()
            found = await looked_up(lambda: self._thread.run(self._look, limit))
            if found:
                self._found_at = loop.time()
                return self._advance(found)
            left_s = give_up_at - loop.time()
            if left_s <= 0:
                return []
            if loop.time() - self._found_at > _QUIET_S:
                await asyncio.sleep(min(_LOOK_S, left_s))
            else:
                await self._written(before, loop.time() + min(left_s, _LOOK_S))

    async def _written(self, before: tuple[int, int], until: float) -> None:
        """Return when the file has been written to since ``before``, or at the loop's time ``until``."""
        loop = asyncio.get_running_loop()
        pause_s = _FIRST_GLANCE_S
        while self._glance() == before and (left_s := until - loop.time()) > 0:
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, _LAST_GLANCE_S)

    def _glance(self) -> tuple[int, int]:
        try:
            found = self._journal.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    async def commit(self, records: Sequence[Record]) -> None:
        """See :meth:`slipway.events.Consumer.commit`."""
        reached: dict[str, int] = {}
        for record in records:
            topic = record.event.topic
            reached[topic] = max(reached.get(topic, 0), record.offset + 1)
        if reached:
            await self._thread.run(self._commit, reached)

    async def dead_letter(self, record: Record, error: str) -> None:
        """See :meth:`slipway.events.Consumer.dead_letter`."""
        event = record.event
        why = {
            "dlq-topic": event.topic,
            "dlq-partition": str(record.partition),
            "dlq-offset": str(record.offset),
            "dlq-group": self._group,
            "dlq-error": error[:_ERROR_CHARACTERS],
        }
        letter = replace(event, topic=dead_letter_topic(event.topic, self._group), headers={**event.headers, **why})

        def put(connection: sqlite3.Connection) -> None:
            with writing(connection):
                self._require_claim(connection, self._claims[event.topic])
                records.append(connection, [letter], self._files)

        await self._thread.run(put)
        # The counter shows other connections' commits only, and this member may read dead letters as well.
        self._seen_version = None

    def _look(self, connection: sqlite3.Connection, limit: int) -> list[Record]:
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version == self._seen_version:
            return []
        found: list[Record] = []
        room = _POLL_BYTES
        connection.execute("BEGIN")
        try:
            for name, claim in self._claims.items():
                self._require_claim(connection, claim)
                rest = limit - len(found)
                for record in records.select(
                    connection, self._files, claim.topic, name, offset=claim.next_offset, limit=rest
                ):
                    found.append(record)
                    room -= record.event.size_bytes
                    if room <= 0:
                        break
                if room <= 0 or len(found) >= limit:
                    break
        finally:
            connection.execute("COMMIT")
        # Only an empty look may be skipped next time: a full one leaves records behind.
        self._seen_version = None if found else version
        return found

    def _advance(self, found: list[Record]) -> list[Record]:
        for record in found:
            self._claims[record.event.topic].next_offset = record.offset + 1
        # The topic that was served goes to the back, so that a busy one does not starve the others.
        served = found[0].event.topic
        self._claims[served] = self._claims.pop(served)
        return found

    def _commit(self, connection: sqlite3.Connection, reached: Mapping[str, int]) -> None:
        with writing(connection):
            for name, following in reached.items():
                claim = self._claims[name]
                self._require_claim(connection, claim)
                connection.execute(
                    "UPDATE position SET next_offset = max(next_offset, ?) WHERE topic = ? AND group_name = ?",
                    (following, claim.topic, self._group),
                )

    def _require_claim(self, connection: sqlite3.Connection, claim: Claim) -> None:
        (epoch,) = connection.execute(
            "SELECT epoch FROM position WHERE topic = ? AND group_name = ?", (claim.topic, self._group)
        ).fetchone()
        if epoch != claim.epoch:
            raise Fenced(self._group)


def join(connection: sqlite3.Connection, topics: Sequence[str], group: str) -> dict[str, Claim]:
    """Take the topics over from whoever read them for this group; where its last commit left off."""
    claims = {}
    with writing(connection):
        for name in topics:
            topic = records.ensure_topic(connection, name)
            epoch, following = connection.execute(
                "INSERT INTO position (topic, group_name, next_offset, epoch) VALUES (?, ?, 0, 1)"
                " ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch, next_offset",
                (topic, group),
            ).fetchone()
            claims[name] = Claim(topic, epoch, following)
    return claims
