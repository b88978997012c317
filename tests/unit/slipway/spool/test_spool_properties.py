from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from slipway.spool import START, Position, Spool, SpoolFull

ALL = 1 << 30
HEADER = 12
PAYLOADS = st.lists(st.one_of(st.binary(max_size=40), st.just(b"\xf5\xc1SF\x00\x00\x00\x00"), st.just(bytes(90))))


def opened(root: Path) -> Spool:
    return Spool.open(root, segment_bytes=150, limit_bytes=2_000, retain_bytes=300, sync="interval")


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def filled(root: Path, payloads: list[bytes]) -> list[Position]:
    with Spool.open(root, segment_bytes=150, limit_bytes=ALL, sync="interval") as spool:
        return [position for payload in payloads for position in spool.append([payload])]


@settings(max_examples=60, deadline=None)
@given(payloads=PAYLOADS, data=st.data())
def test_a_truncated_tail_gives_the_whole_frames_before_it(payloads: list[bytes], data: st.DataObject) -> None:
    with folder() as root:
        positions = filled(root, payloads)
        last = max(root.glob("*.frames"))
        size = data.draw(st.integers(0, last.stat().st_size))
        os.truncate(last, size)
        segment = int(last.stem.partition("-")[2], 16)
        whole = [
            (position, payload)
            for position, payload in zip(positions, payloads, strict=True)
            if position.segment < segment or position.offset + HEADER + len(payload) <= size
        ]
        with opened(root) as spool:
            assert [*spool.frames(START)] == whole
            assert spool.corrupt_bytes == 0
            appended = spool.append([b"after"])
            assert [*spool.frames(START)] == [*whole, (appended[0], b"after")]


@settings(max_examples=100, deadline=None)
@given(payloads=PAYLOADS.filter(bool), flip=st.integers(1, 255), data=st.data())
def test_a_changed_byte_costs_its_own_frame_and_makes_none(
    payloads: list[bytes], flip: int, data: st.DataObject
) -> None:
    with folder() as root:
        positions = filled(root, payloads)
        path = data.draw(st.sampled_from([path for path in sorted(root.glob("*.frames")) if path.stat().st_size]))
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= flip
        path.write_bytes(content)
        hit = max(p for p in positions if p <= (int(path.stem.partition("-")[2], 16), at))
        with opened(root) as spool:
            expected = [found for found in zip(positions, payloads, strict=True) if found[0] != hit]
            assert [*spool.frames(START)] == expected
            assert spool.corrupt_frames + (spool.torn_bytes > 0) == 1


class Reader(RuleBasedStateMachine):
    """Appends, reads, acknowledgements and restarts in any order, against a list."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.appended: list[tuple[Position, bytes]] = []
        self.acknowledged = 0
        self.cursor = 0
        self.count = 0
        self.ahead = self.lead = b""

    @initialize()
    def begin(self) -> None:
        self.spool = opened(Path(self.folder.name))

    @rule(sizes=st.lists(st.integers(0, 60), max_size=6))
    def append(self, sizes: list[int]) -> None:
        payloads = []
        for size in sizes:
            self.count += 1
            payloads.append(b"%d|" % self.count + bytes(size))
        try:
            positions = self.spool.append(payloads)
        except SpoolFull:
            assert self.waiting() + sum(map(len, payloads)) + HEADER * len(payloads) > 2_000
            return
        self.appended += zip(positions, payloads, strict=True)

    @rule(size=st.integers(0, 200), lead=st.integers(0, 20))
    def write_ahead(self, size: int, lead: int) -> None:
        self.ahead = b"a" * size
        self.lead = bytes(lead)
        self.spool.write_ahead(self.ahead, lead)

    @rule(rest=st.binary(max_size=20), moved=st.sampled_from([b"", b"", b"", b"m"]))
    def append_what_is_ahead(self, rest: bytes, moved: bytes) -> None:
        pieces = (self.lead + moved, self.ahead, rest)
        try:
            positions = self.spool.append([pieces])
        except SpoolFull:
            return
        self.appended += zip(positions, [b"".join(pieces)], strict=True)

    @rule(limit=st.integers(1, 30))
    def read(self, limit: int) -> None:
        after = self.appended[self.cursor - 1][0] if self.cursor else START
        batch = [*islice(self.spool.frames(after), limit)]
        assert batch == self.appended[self.cursor : self.cursor + len(batch)]
        assert bool(batch) == (self.cursor < len(self.appended))
        self.cursor += len(batch)

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        if self.cursor > self.acknowledged:
            self.acknowledged = data.draw(st.integers(self.acknowledged + 1, self.cursor))
            self.spool.acknowledge(self.appended[self.acknowledged - 1][0])

    @rule()
    def reopen(self) -> None:
        self.spool.close()
        self.spool = opened(Path(self.folder.name))
        self.cursor = self.acknowledged

    @invariant()
    def waits_and_replays(self) -> None:
        if not hasattr(self, "spool"):
            return
        assert self.spool.pending_bytes == self.waiting()
        assert self.spool.count_pending() == len(self.appended) - self.acknowledged
        retained = list(self.spool.replay())
        assert retained == self.appended[len(self.appended) - len(retained) :]
        assert len(retained) >= len(self.appended) - self.acknowledged
        newest = list(self.spool.replay(100))
        assert newest == retained[len(retained) - len(newest) :]
        assert self.held(newest) >= min(100, self.held(retained))

    def waiting(self) -> int:
        return self.held(self.appended[self.acknowledged :])

    @staticmethod
    def held(frames: list[tuple[Position, bytes]]) -> int:
        return sum(HEADER + len(payload) for _, payload in frames)

    def teardown(self) -> None:
        self.spool.close()
        self.folder.cleanup()


TestReader = Reader.TestCase
TestReader.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
