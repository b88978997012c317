"""Calls that came together: answered together, and each as if it had come alone."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf import wrappers_pb2

from slipway.errors import Exhausted, Kind, SlipwayError, invalid_field
from slipway.observe.spans import trace_id_of
from slipway.rpc import status
from slipway.rpc.bundle import Apart, Tell
from slipway.rpc.call import Call
from slipway.rpc.front import native_is_there
from slipway.rpc.message import takes_bytes
from slipway.rpc.server import Server, service
from slipway.rpc.settings import RpcSettings
from tests.unit.slipway.rpc.conftest import CONTRACT, NAME

pytestmark = pytest.mark.skipif(
    not native_is_there() and not os.environ.get("CI"), reason="the native front is not built: it needs cargo"
)
Text = wrappers_pb2.StringValue
MOST = 8


class Nobody(SlipwayError):
    """A call without a name."""

    kind = Kind.UNAUTHENTICATED
    reason = "NOBODY"


@dataclass(eq=False)
class Words:
    """A kind: texts that begin with the same word."""

    word: bytes
    most: int = MOST


@dataclass
class Choir:
    """Says what it is told; those whose texts begin with "we" together. What follows is for all, or for one of them."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    inside: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    together: list[int] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    alone: int = 0
    kinds: dict[bytes, Words] = field(default_factory=dict)

    @takes_bytes
    async def Say(self, data: bytes, call: Call) -> bytes:  # noqa: N802 - the contract's name
        self.alone += 1
        return Text(value=f"{Text.FromString(data).value} alone").SerializeToString()

    async def Count(self, request: Any, call: Call) -> AsyncIterator[Any]:  # noqa: N802 - the contract's name
        yield request

    Join = Talk = Count

    def kind(self, data: bytes) -> tuple[Words, bytes] | None:
        if data.endswith(b"confused"):
            raise RuntimeError("a defect")
        first = data[2:].partition(b" ")[0]
        return (self.kinds.setdefault(first, Words(first)), data) if first.startswith(b"we") else None

    def begin_together(self, kind: Words, read: Sequence[bytes], caller: Any, tell: Tell) -> asyncio.Future[None]:
        self.together.append(len(read))
        self.traces += [trace_id_of(one) for one in caller.traces]
        match kind.word:
            case b"we-part":
                raise Apart
            case b"we-can't":
                raise invalid_field("value", "is nothing to say")
        return asyncio.ensure_future(self._sing(kind, read, caller, tell))

    async def _sing(self, kind: Words, read: Sequence[bytes], caller: Any, tell: Tell) -> None:
        match kind.word:
            case b"we-fail":
                raise invalid_field("value", "is nothing to say")
            case b"we-forget":
                return
            case b"we-break":
                raise RuntimeError("password=hunter2 in the driver's text")
            case b"we-wait":
                self.inside.set()
                try:
                    await self.gate.wait()
                finally:
                    self.left.set()
            case b"we-first":
                tell([0], [self._said(read[0], caller)])
                try:
                    await self.gate.wait()
                finally:
                    self.left.set()
                tell(range(1, len(read)), [self._said(one, caller) for one in read[1:]])
                return
        tell(range(len(read)), [self._said(one, caller) for one in read])

    def _said(self, data: bytes, caller: Any) -> bytes | BaseException:
        text = Text.FromString(data).value
        if text.endswith("full"):
            return Exhausted("no room", facts={"limit": "1"}, retry_after_s=1.5)
        if text.endswith("remaining"):
            return Text(value=repr(caller.deadline_s - time.monotonic())).SerializeToString()
        return Text(value=f"{text} of {caller.principal or 'nobody'}").SerializeToString()


@dataclass
class Hall:
    """A server, and callers in threads without Python's lock: what they send while the loop stands came together."""

    server: Server
    choir: Choir
    channel: grpc.Channel

    def ask(self, *texts: str, timeout: float | None = None, **given: Any) -> list[Any]:
        say = self.channel.unary_unary(f"/{NAME}/Say")
        calls = [say.future(Text(value=one).SerializeToString(), timeout=timeout, **given) for one in texts]
        ends = time.monotonic() + 0.3
        while time.monotonic() < ends:
            pass
        return calls

    async def told(self, calls: Sequence[Any]) -> list[str | SlipwayError]:
        return list(await asyncio.gather(*(_ended(one) for one in calls)))


async def _ended(call: Any) -> Any:
    """What was told; waited for in no thread of the loop's few, which servers need."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    call.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
    await ended.wait()
    return _told(call)


def _told(call: Any) -> str | SlipwayError:
    try:
        return Text.FromString(call.result()).value
    except grpc.RpcError as error:
        return status.decode(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))


Open = Callable[..., Any]


@pytest.fixture
async def hall() -> AsyncIterator[Open]:
    async with AsyncExitStack() as ending:

        @asynccontextmanager
        async def opened(gate: Any = None, **changes: Any) -> AsyncIterator[Hall]:
            choir = Choir()
            settings = RpcSettings(**{"listen": "127.0.0.1:0", "grace_s": 5.0, "front": "native", **changes})
            server = Server(settings, [service(CONTRACT, choir, gate, {"Say": choir})])
            await server.start()
            try:
                with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                    await asyncio.to_thread(grpc.channel_ready_future(channel).result, 30)
                    yield Hall(server, choir, channel)
            finally:
                choir.gate.set()
                await server.stop()

        yield lambda *given, **changes: ending.enter_async_context(opened(*given, **changes))


async def test_each_has_its_own_answer_and_no_more_go_together_than_may(hall: Open) -> None:
    here = await hall()
    texts = [f"we {number}" for number in range(20)]
    assert await here.told(here.ask(*texts)) == [f"{one} of nobody" for one in texts]
    assert sum(here.choir.together) == 20
    assert max(here.choir.together) == MOST
    assert here.choir.alone == 0


async def test_what_is_of_no_kind_or_can_not_go_together_is_answered_alone(hall: Open) -> None:
    here = await hall()
    assert await here.told(here.ask("I", "we-part 1", "we-part 2", "I too")) == [
        "I alone",
        "we-part 1 alone",
        "we-part 2 alone",
        "I too alone",
    ]
    assert await here.told(here.ask("we confused", "we 1")) == ["we confused alone", "we 1 of nobody"]


async def test_each_keeps_the_trace_that_its_caller_brought(hall: Open) -> None:
    here = await hall()
    assert await here.told(here.ask("we 1", "we 2")) == ["we 1 of nobody", "we 2 of nobody"]
    assert not here.choir.traces  # nor is any made up
    traces = [number * 16 for number in ("ab", "cd", "")]
    say = here.channel.unary_unary(f"/{NAME}/Say")
    calls = [
        say.future(
            Text(value=f"we {one}").SerializeToString(),
            metadata=[("traceparent", f"00-{one}-{'ef' * 8}-01")] if one else [("tracestate", "a=b")],
        )
        for one in traces
    ]
    here.ask("we wait for them")
    assert await here.told(calls) == [f"we {one} of nobody" for one in traces]
    assert sorted(here.choir.traces)[-2:] == ["ab" * 16, "cd" * 16]
    assert not any(here.choir.traces[:-3])
    assert here.choir.alone == 0


async def test_one_fails_alone_and_what_all_fail_by_is_told_to_each(
    hall: Open, caplog: pytest.LogCaptureFixture
) -> None:
    here = await hall()
    first, full, last = await here.told(here.ask("we 1", "we full", "we 2"))
    assert (first, last) == ("we 1 of nobody", "we 2 of nobody")
    assert (full.kind, full.retry_after_s) == (Kind.RESOURCE_EXHAUSTED, 1.5)
    for one in await here.told(here.ask("we-fail 1", "we-fail 2", "we-can't 1", "we-can't 2")):
        assert [each.field for each in one.violations] == ["value"]
    with caplog.at_level(logging.ERROR):
        broken = await here.told(here.ask("we-break 1", "we-break 2", "we-forget 1"))
    assert {one.kind for one in broken} == {Kind.INTERNAL}
    assert "hunter2" not in str(broken)
    assert len([one for one in caplog.records if one.message == "a call failed by a defect"]) == 3
    assert await here.told(here.ask("we 3")) == ["we 3 of nobody"]


async def test_who_is_answered_first_waits_for_no_other(hall: Open) -> None:
    here = await hall(max_concurrent_calls=3)
    first, *others = here.ask("we-first 1", "we-first 2", "we-first full")
    assert await here.told([first]) == ["we-first 1 of nobody"]
    assert not any(one.done() for one in others)
    assert await here.told(here.ask("we 3")) == ["we 3 of nobody"]  # there is room again
    here.choir.gate.set()
    second, full = await here.told(others)
    assert (second, full.kind) == ("we-first 2 of nobody", Kind.RESOURCE_EXHAUSTED)
    here.choir.gate.clear()
    here.choir.left.clear()
    first, *others = here.ask("we-first 1", "we-first 2", "we-first 3")
    await here.told([first])
    for one in others:
        one.cancel()
    await asyncio.wait_for(here.choir.left.wait(), 30)
    assert await here.told(here.ask(*[f"we {number}" for number in range(3)])) == [
        f"we {number} of nobody" for number in range(3)
    ]


async def test_callers_of_several_names_go_apart_and_who_may_not_call_is_told(hall: Open) -> None:
    def gate(method: str, call: Call) -> str:
        assert method == f"{NAME}.Say"
        name = call.metadata.get("name")
        if name is None:
            raise Nobody("say who calls")
        return str(name)

    here = await hall(gate)
    a = here.ask("we 1", "we 2", metadata=[("name", "a")])
    both = [*a, *here.ask("we 3", metadata=[("name", "b")]), *here.ask("we 4")]
    *named, refused = await here.told(both)
    assert named == ["we 1 of a", "we 2 of a", "we 3 of b"]
    assert refused.kind is Kind.UNAUTHENTICATED


async def test_what_finds_no_room_is_refused_and_the_room_is_free_again(hall: Open) -> None:
    here = await hall(max_concurrent_calls=3)
    for _ in range(2):
        calls = here.ask(*[f"we-wait {number}" for number in range(5)])
        async with asyncio.timeout(30):
            while sum(one.done() for one in calls) < 2:
                await asyncio.sleep(0.01)
        here.choir.gate.set()
        told = await here.told(calls)
        assert len({one for one in told if isinstance(one, str)}) == 3
        assert [one.kind for one in told if isinstance(one, SlipwayError)] == [Kind.RESOURCE_EXHAUSTED] * 2
        here.choir.gate.clear()


async def test_they_end_with_the_time_that_their_callers_have(hall: Open) -> None:
    here = await hall(max_deadline_s=0.5)
    waiting = here.ask("we-wait 1", "we-wait 2", timeout=None)
    told = await here.told(waiting)
    assert [one.kind for one in told] == [Kind.DEADLINE_EXCEEDED] * 2
    assert "no answer within 0.500 s" in str(told[0])
    assert here.choir.left.is_set()
    [left] = await here.told(here.ask("we remaining", timeout=None))
    assert 0 < float(left) <= 0.5


async def test_callers_with_other_deadlines_do_not_wait_for_each_other(hall: Open) -> None:
    here = await hall(max_deadline_s=60.0)
    patient = here.ask("we-wait 1", timeout=30.0)
    hasty = here.ask("we-wait 2", timeout=1.0)
    [told] = await here.told(hasty)
    assert told.kind is Kind.DEADLINE_EXCEEDED
    here.choir.gate.set()
    assert await here.told(patient) == ["we-wait 1 of nobody"]


async def test_the_others_are_answered_when_some_go_and_nobody_works_for_those_who_all_went(hall: Open) -> None:
    here = await hall(max_concurrent_calls=4)
    first, *others = here.ask("we-wait 1", "we-wait 2", "we-wait 3")
    await here.choir.inside.wait()
    first.cancel()
    here.choir.gate.set()
    assert await here.told(others) == ["we-wait 2 of nobody", "we-wait 3 of nobody"]
    for event in (here.choir.gate, here.choir.inside, here.choir.left):
        event.clear()
    gone = here.ask(*[f"we-wait {number}" for number in range(4)])
    await here.choir.inside.wait()
    for one in gone:
        one.cancel()
    await asyncio.wait_for(here.choir.left.wait(), 30)
    here.choir.gate.set()
    assert await here.told(here.ask(*[f"we {number}" for number in range(4)])) == [
        f"we {number} of nobody" for number in range(4)
    ]


async def test_who_left_has_no_room_any_more_though_others_wait(hall: Open) -> None:
    here = await hall(max_concurrent_calls=4)
    last, *others = here.ask(*[f"we-wait {number}" for number in range(4)])
    await here.choir.inside.wait()
    for one in others:
        one.cancel()
    async with asyncio.timeout(30):
        while not all(isinstance(one, str) for one in await here.told(here.ask("we 1", "we 2", "we 3"))):
            await asyncio.sleep(0.01)
    here.choir.gate.set()
    assert await here.told([last]) == ["we-wait 0 of nobody"]
    for _ in range(2):  # and nobody's was given back twice
        here.choir.gate.clear()
        five = here.ask(*[f"we-wait {number}" for number in range(5)])
        async with asyncio.timeout(30):
            while not any(one.done() for one in five):
                await asyncio.sleep(0.01)
        here.choir.gate.set()
        assert len([one for one in await here.told(five) if isinstance(one, str)]) == 4


async def test_a_gate_that_breaks_on_one_call_keeps_no_other_from_its_answer(hall: Open) -> None:
    def gate(method: str, call: Call) -> str:
        if "broken" in call.metadata:
            raise RuntimeError("a defect")
        return "a"

    here = await hall(gate)
    calls = [*here.ask("we 1"), *here.ask("we 2", metadata=[("broken", "1")]), *here.ask("we 3")]
    first, broken, last = await here.told(calls)
    assert (first, broken.kind, last) == ("we 1 of a", Kind.INTERNAL, "we 3 of a")


async def test_callers_who_go_before_anybody_looked_leave_nothing_behind(hall: Open) -> None:
    here = await hall(max_concurrent_calls=4)
    for one in here.ask(*[f"we-wait {number}" for number in range(4)]):
        one.cancel()
    ends = time.monotonic() + 0.3
    while time.monotonic() < ends:
        pass
    assert await here.told(here.ask(*[f"we {number}" for number in range(4)])) == [
        f"we {number} of nobody" for number in range(4)
    ]


@pytest.mark.parametrize("grace_s", [0.0, 5.0])
async def test_a_drain_lets_them_end_and_tells_those_who_can_not(hall: Open, grace_s: float) -> None:
    here = await hall(grace_s=grace_s)
    waiting = here.ask("we-wait 1", "we-wait 2")
    await here.choir.inside.wait()
    stopping = asyncio.create_task(here.server.stop())
    if grace_s:
        await asyncio.sleep(0)
        here.choir.gate.set()
    told = await here.told(waiting)
    await stopping
    if grace_s:
        assert told == ["we-wait 1 of nobody", "we-wait 2 of nobody"]
    else:
        assert [one.kind for one in told] == [Kind.UNAVAILABLE] * 2


def test_only_methods_that_take_bytes_are_answered_together() -> None:
    gives: Mapping[str, Any] = {"Count": Choir()}
    with pytest.raises(TypeError, match="Count"):
        service(CONTRACT, Choir(), None, gives)
