from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Iterator

import pytest

from slipway.lifecycle import BusyPoll, loop_factory
from slipway.lifecycle.cores import cores

AGES_S = 3600.0
"""Longer than any wait of a test: whoever stays awake for it has been told to."""


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_what_is_ready_is_told_as_any_selector_tells_it(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with BusyPoll(AGES_S) as one, selectors.EpollSelector() as other:
        for selector in (one, other):
            selector.register(ours, selectors.EVENT_READ | selectors.EVENT_WRITE, "data")
        assert one.select() == other.select()
        theirs.send(b"x")
        assert one.select() == other.select()
        assert one.select(0) == other.select(0)


def waits(selector: BusyPoll, times: int) -> None:
    for _ in range(times):
        assert selector.select(0.001) == []


def test_a_time_without_events_ends_it(pair: tuple[socket.socket, socket.socket]) -> None:
    with BusyPoll(AGES_S) as selector:
        selector.register(pair[0], selectors.EVENT_READ)
        assert selector.select(0) == selector.select(-1) == []
        waits(selector, 10)
        # By now it has learned that waits are short, and spends them awake; they end as well.
        assert selector.looks


def test_it_sleeps_until_waits_were_short(pair: tuple[socket.socket, socket.socket]) -> None:
    with BusyPoll(0.0) as never, BusyPoll(AGES_S) as often:
        for selector in (never, often):
            selector.register(pair[0], selectors.EVENT_READ)
            waits(selector, 1)
            assert selector.looks == 0
            waits(selector, 10)
        assert never.looks == 0
        assert often.looks > 0


def test_what_follows_one_source_says_nothing_about_another() -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    with BusyPoll(AGES_S) as selector:
        for ours, theirs in pairs:
            looked = selector.looks
            selector.register(ours, selectors.EVENT_READ)
            theirs.send(b"x")
            [(key, _)] = selector.select()
            assert key.fileobj is ours
            ours.recv(1)
            waits(selector, 1)
            assert selector.looks == looked  # nothing is known yet of what follows this one
            waits(selector, 10)
            assert selector.looks > looked
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_a_loop_answers_another_process_and_its_own_timers() -> None:
    make = loop_factory(1000.0)
    if make is None:
        assert cores() < 2
        return

    async def talk() -> int:
        child = await asyncio.create_subprocess_exec(
            "cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdin is not None
        assert child.stdout is not None
        for number in range(100):
            line = b"%d\n" % number
            child.stdin.write(line)
            assert await child.stdout.readline() == line
            await asyncio.sleep(0.0001)
        child.stdin.close()
        return await child.wait()

    with asyncio.Runner(loop_factory=make) as runner:
        assert runner.run(talk()) == 0


def test_no_time_means_the_usual_loop() -> None:
    assert loop_factory(0.0) is None
