"""A member of a group on Kafka as the driver has it: what it holds, what it fetched, and whether it still may."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from slipway.events.errors import Fenced
from slipway.events.kafka import settings
from slipway.events.kafka.address import Address
from slipway.events.kafka.failure import GONE, LOST, code_of, ends, translate
from slipway.events.kafka.hold import Hold, Place
from slipway.events.kafka.records import Received, received
from slipway.events.kafka.topics import Topics

_log = logging.getLogger(__name__)
_JUST_NOW_S = 60.0
_AHEAD = 1000


class Member:
    """Takes part in a group; all of it on one thread, for the driver blocks.

    It joins with its first take, which makes topics that are missing. What it is asked of partitions that it held once
    is Fenced; it goes on with those that it holds then, each from what was committed. Fenced by a take is for good:
    another process joined under its name while the brokers answered.

    ``accepted``: how many of the records that it gave last have arrived; whoever takes adds to it.
    """

    def __init__(self, *, address: Address, names: Sequence[str], group: str, topics: Topics) -> None:
        self._names = list(names)
        self._group = group
        self._topics = topics
        self._settings = settings.consuming(address, group) | {"error_cb": self._on_error}
        if address.member:
            # One process may be several members of a group: each of its topics then belongs to one of them.
            self._settings["group.instance.id"] = f"{address.prefix}{group}.{address.member}.{self._names[0]}"
        self._client = Consumer(self._settings)
        self._joined = False
        self._holds: dict[Place, Hold] = {}
        self._fetched: list[Received] = []
        self.accepted = 0
        self._away: KafkaError | None = None
        self._away_at = float("-inf")
        self._assigned_at = float("-inf")
        self._fenced = False
        self._doubtful = False

    def take(self, limit: int, wait_s: float) -> list[Received]:
        """What has come by now, up to ``limit`` records; waits at most ``wait_s`` for a first one.

        The same again until :attr:`accepted` says that they arrived. Raises Fenced, and what the driver told meanwhile.
        """
        self._let_go()
        self._join()
        if self._doubtful:
            self._go_back()
        try:
            if not self._fetched:
                self._fetch(limit, wait_s)
        except KafkaException as error:
            self._on_error(code_of(error))
        if self._fenced:
            self._join_anew()
        if not self._fetched and self._away is not None:
            away, self._away = self._away, None
            raise translate(away) from KafkaException(away)
        return self._fetched[:limit]

    def commit(self, reached: Mapping[Place, int]) -> None:
        """Commit what is held of these offsets, each of the next record. Raises Fenced when some are not."""
        held = {place: offset for place, offset in reached.items() if self._may_commit(place, offset)}
        if held and not self._fenced:
            self._tell(held)
            for place, offset in held.items():
                hold = self._holds[place]
                hold.done = offset
                hold.letters = {one for one in hold.letters if one >= offset}
        if len(held) < len(reached):
            self._doubt()

    def require_held(self, place: Place) -> Hold:
        """How the partition is held, as the brokers say too. Raises Fenced when it is not."""
        hold = self._holds.get(place)
        if hold is None or hold.done is None:
            self._doubt()
        # Committing what is committed asks the brokers whether we still may.
        self._tell({place: hold.done})
        return hold

    def close(self) -> None:
        """Leave the group."""
        self._client.close()

    def _let_go(self) -> None:
        del self._fetched[: self.accepted]
        self.accepted = 0

    def _serve(self) -> None:
        """Have the driver go on to look for its coordinator: it waits until it has told us that partitions are lost.

        What it has fetched stands before that.
        """
        self._let_go()
        if len(self._fetched) > _AHEAD:
            return
        try:
            self._fetch(_AHEAD, 0)
        except KafkaException as error:
            self._on_error(code_of(error))

    def _join(self) -> None:
        if not self._joined:
            self._topics.ensure(self._names)
            self._client.subscribe(
                [self._topics.on_brokers(name) for name in self._names],
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
            self._joined = True

    def _join_anew(self) -> None:
        """Be another member of the same name. Raises Fenced unless this one had lost its brokers, and so its place.

        A member that finds its brokers again asks to be let in, maybe twice, for an answer got lost; it then is told
        that somebody joined under its name, and that was itself. So it is where brokers come back without what they
        had told of its joining. One that had its brokers ever since it was given its partitions was replaced.
        """
        if self._away_at <= max(self._assigned_at, time.monotonic() - _JUST_NOW_S):
            raise Fenced(self._group)
        _log.warning("joining %s anew, after its brokers were away", self._group)
        self._client.close()
        self._client = Consumer(self._settings)
        self._holds.clear()
        self._fetched.clear()
        self._joined = self._fenced = self._doubtful = False

    def _fetch(self, limit: int, wait_s: float) -> None:
        # One call would wait for all of them.
        messages = self._client.consume(1, wait_s)
        if messages and limit > 1:
            messages += self._client.consume(limit - 1, 0)
        for message in messages:
            error = message.error()
            if error is not None:
                self._on_error(error)
                continue
            record = received(message, self._topics.ours(message.topic() or ""))
            hold = self._holds.setdefault((record.event.topic, record.partition), Hold())
            if hold.done is None:
                hold.done = record.offset
            self._fetched.append(record)
            self._away = None

    def _may_commit(self, place: Place, offset: int) -> bool:
        """Whether the partition is held, and since before the records that end at ``offset`` came."""
        hold = self._holds.get(place)
        return hold is not None and hold.done is not None and hold.done <= offset

    def _tell(self, offsets: Mapping[Place, int]) -> None:
        given = [
            TopicPartition(self._topics.on_brokers(topic), partition, offset)
            for (topic, partition), offset in offsets.items()
        ]
        if self._fenced:
            self._doubt()
        try:
            answers = self._client.commit(offsets=given, asynchronous=False)
        except KafkaException as error:
            self._judge(code_of(error))
            self._serve()
            raise
        for answer in answers:
            if answer.error is not None:
                self._judge(answer.error)
                raise KafkaException(answer.error)

    def _judge(self, error: KafkaError) -> None:
        if ends(error):
            self._fenced = True
        if self._fenced or error.code() in LOST:
            self._doubt()
        self._away_at = time.monotonic()

    def _doubt(self) -> NoReturn:
        self._doubtful = True
        raise Fenced(self._group)

    def _go_back(self) -> None:
        """Read what is held from what was committed on, for nobody knows what became of the records."""
        self._fetched.clear()
        for (topic, partition), hold in self._holds.items():
            if hold.done is not None:
                self._client.seek(TopicPartition(self._topics.on_brokers(topic), partition, hold.done))
        self._doubtful = False

    def _on_assign(self, _client: Consumer, places: Sequence[TopicPartition]) -> None:
        for place in places:
            self._holds[self._topics.ours(place.topic), place.partition] = Hold()
        self._assigned_at = time.monotonic()

    def _on_revoke(self, _client: Consumer, places: Sequence[TopicPartition]) -> None:
        gone = {(self._topics.ours(place.topic), place.partition) for place in places}
        for place in gone:
            self._holds.pop(place, None)
        self._fetched = [one for one in self._fetched if (one.event.topic, one.partition) not in gone]

    def _on_error(self, error: KafkaError) -> None:
        if ends(error):
            self._fenced = True
        elif error.code() in GONE:
            self._topics.forget(self._names)
            self._joined = False
            self._away = error
        elif error.code() not in LOST:
            self._away, self._away_at = error, time.monotonic()
