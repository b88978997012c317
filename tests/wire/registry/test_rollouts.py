"""Taking an endpoint over: the calls, the verdicts on the log, and the way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.errors import Kind, SlipwayError
from slipway.events import Event, dead_letter_topic
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2 as inference_events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as monitor_events_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as monitor_pb2
from slipway.gen.slipway.registry.v1 import events_pb2
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

NOW = datetime(2013, 5, 1, tzinfo=UTC)
VERDICTS = "monitor.verdict.v1"
ARMS = "inference.arm.v1"
PROMOTE, ROLL_BACK = monitor_pb2.DECISION_PROMOTE, monitor_pb2.DECISION_ROLL_BACK
INCONCLUSIVE = monitor_pb2.DECISION_INCONCLUSIVE
FOLLOWING = res.Route(name="main", model="m", alias="champion", weight=1)
NIGHTLY = res.Route(name="nightly", model="m", version=1, shadow=True)


class Platform:
    """A registry with versions 1 to 3 of `m`, its alias `champion` at 1, and endpoint `late` that follows it."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire
        self._published = 0

    async def start(self, version: int = 2, **more: Any) -> res.Endpoint:
        request = pb.StartRolloutRequest(
            **{"request_id": f"to-{version}", "endpoint": "late", "version": version, **more}
        )
        return (await self.wire.call("StartRollout", request)).endpoint

    async def cancel(self, rollout_id: str, **more: Any) -> res.Endpoint:
        request = pb.CancelRolloutRequest(endpoint="late", rollout_id=rollout_id, **more)
        return (await self.wire.call("CancelRollout", request)).endpoint

    async def roll_back(self, **more: Any) -> res.Endpoint:
        return (await self.wire.call("RollBackEndpoint", pb.RollBackEndpointRequest(endpoint="late", **more))).endpoint

    async def point(self, version: int) -> None:
        await self.wire.call("SetAlias", pb.SetAliasRequest(model="m", alias="champion", version=version))

    async def put(self, *routes: res.Route, name: str = "late") -> res.Endpoint:
        request = pb.PutEndpointRequest(endpoint=res.Endpoint(name=name, routes=routes))
        return (await self.wire.call("PutEndpoint", request)).endpoint

    async def endpoint(self, name: str = "late") -> res.Endpoint:
        return (await self.wire.call("GetEndpoint", pb.GetEndpointRequest(name=name))).endpoint

    async def refused(self, call: Any) -> SlipwayError:
        with pytest.raises(SlipwayError) as caught:
            await call
        return caught.value

    async def publish(self, topic: str, *values: bytes, ids: list[str] | None = None) -> None:
        self._published += len(values)
        ids = ids or [f"{topic}-{self._published}-{n}" for n in range(len(values))]
        events = [Event(one, topic, "late", "test", "test", NOW, value) for one, value in zip(ids, values, strict=True)]
        async with open_log(self.wire.config.events) as log:
            await log.publisher().publish(events)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Any]:
        """Gives, each time it is called, `late` at its next revision."""
        async with aclosing(self.wire.stream("WatchEndpoints")) as states:
            await anext(states)

            async def after() -> res.Endpoint:
                while True:
                    state = await anext(states)
                    for endpoint in state.endpoints:
                        if endpoint.name == "late":
                            return endpoint

            yield after


def verdict(rollout: str, step: int, decision: int = PROMOTE, reason: str = "so it is") -> bytes:
    told = monitor_pb2.Verdict(
        endpoint="late", rollout_id=rollout, step=step, decision=decision, reason=reason, labels=10
    )
    return monitor_events_pb2.VerdictReached(verdict=told).SerializeToString()


def disabled(revision: int, version: int = 2) -> bytes:
    return inference_events_pb2.ArmDisabled(
        endpoint="late", route="candidate", model="m", version=version, revision=revision, reason="5 of 5 failed"
    ).SerializeToString()


def plan(*percents: int) -> res.RolloutPlan:
    return res.RolloutPlan(steps=[res.RolloutStep(percent=percent, min_labels=10) for percent in percents])


def arms(endpoint: res.Endpoint) -> dict[str, tuple[int, int, bool]]:
    return {route.name: (route.resolved_version, route.weight, route.shadow) for route in endpoint.routes}


@pytest.fixture
async def platform(wire: Any) -> Platform:
    platform = Platform(wire)
    await wire.versions("m", 3)
    await platform.point(1)
    await platform.put(FOLLOWING, NIGHTLY)
    return platform


async def test_verdicts_take_an_endpoint_over_step_by_step_and_every_event_tells_of_it(platform: Platform) -> None:
    wire = platform.wire
    await platform.put(FOLLOWING, name="sister")
    started = await platform.start(plan=plan(0, 25), start_event_time=NOW)
    rollout = started.rollout
    assert (rollout.model, rollout.candidate_version, rollout.baseline_version) == ("m", 2, 1)
    assert (rollout.alias, rollout.main_route, rollout.step) == ("champion", "main", 0)
    assert (rollout.state, rollout.start_event_time.ToDatetime(tzinfo=UTC)) == (res.ROLLOUT_STATE_RUNNING, NOW)
    assert [(one.percent, one.min_labels, one.max_labels) for one in rollout.plan.steps] == [
        (0, 10, 1_000),
        (25, 10, 1_000),
    ]
    assert rollout.plan.error_rate == 0.05
    assert arms(started) == {"main": (1, 100, False), "nightly": (1, 0, True), "candidate": (2, 0, True)}

    async with platform.watching() as after:
        await platform.publish(VERDICTS, verdict(rollout.id, 0, reason="no harm in the shadow"))
        second = await after()
        assert arms(second) == {"main": (1, 75, False), "nightly": (1, 0, True), "candidate": (2, 25, True)}
        assert (second.rollout.step, second.rollout.reason) == (1, "no harm in the shadow")
        await platform.publish(VERDICTS, verdict(rollout.id, 1))
        done = await after()
    assert arms(done) == {"main": (2, 1, False), "nightly": (1, 0, True), "previous": (1, 0, True)}
    assert (done.rollout.state, done.rollout.step) == (res.ROLLOUT_STATE_SUCCEEDED, 2)
    assert arms(await platform.endpoint("sister")) == {"main": (2, 1, False)}
    assert await platform.endpoint() == done

    records = await wire.events("registry.endpoint.v1", 6)
    put = [events_pb2.EndpointChanged.FromString(record.event.value).put for record in records]
    assert [(one.name, one.rollout.state, one.rollout.step) for one in put] == [
        ("late", 0, 0),
        ("sister", 0, 0),
        ("late", res.ROLLOUT_STATE_RUNNING, 0),
        ("late", res.ROLLOUT_STATE_RUNNING, 1),
        ("late", res.ROLLOUT_STATE_SUCCEEDED, 2),
        ("sister", 0, 0),
    ]
    assert [one.revision for one in put] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("decision", "state"),
    [(ROLL_BACK, res.ROLLOUT_STATE_ROLLED_BACK), (INCONCLUSIVE, res.ROLLOUT_STATE_INCONCLUSIVE)],
)
async def test_a_verdict_against_it_takes_the_candidate_away(platform: Platform, decision: int, state: int) -> None:
    before = await platform.endpoint()
    rollout = (await platform.start(plan=plan(25))).rollout
    async with platform.watching() as after:
        await platform.publish(VERDICTS, verdict(rollout.id, 0, decision, "0.1 worse"))
        ended = await after()
    assert list(ended.routes) == list(before.routes)
    assert (ended.rollout.state, ended.rollout.reason, ended.rollout.step) == (state, "0.1 worse", 0)


async def test_what_is_repeated_late_or_about_nothing_changes_nothing(platform: Platform) -> None:
    first = (await platform.start(plan=plan(0, 25, 50))).rollout
    promote = verdict(first.id, 0)
    async with platform.watching() as after:
        await platform.publish(VERDICTS, promote, verdict("r0", 1), verdict(first.id, 2), ids=["a", "b", "c"])
        assert (await after()).rollout.step == 1
        revision = (await platform.endpoint()).revision
        await platform.publish(
            VERDICTS,
            promote,
            verdict(first.id, 0, ROLL_BACK),
            monitor_events_pb2.VerdictReached(
                verdict=monitor_pb2.Verdict(endpoint="nobody", rollout_id=first.id, step=1, decision=PROMOTE)
            ).SerializeToString(),
            verdict(first.id, 1),
            ids=["a2", "d", "e", "f"],
        )
        second = await after()
    assert (second.rollout.step, second.revision) == (2, revision + 1)


async def test_an_arm_that_a_gateway_gave_up_ends_the_rollout_unless_that_was_before_it(platform: Platform) -> None:
    started = await platform.start()
    async with platform.watching() as after:
        await platform.publish(ARMS, disabled(started.revision - 1), disabled(started.revision, version=1))
        await platform.publish(ARMS, disabled(started.revision))
        ended = await after()
    assert (ended.rollout.state, ended.rollout.reason) == (res.ROLLOUT_STATE_ROLLED_BACK, "5 of 5 failed")
    assert "candidate" not in arms(ended)
    assert ended.revision == started.revision + 1


async def test_junk_is_dead_lettered_and_what_is_sound_goes_on(platform: Platform) -> None:
    rollout = (await platform.start(plan=plan(0, 25))).rollout
    unknown = monitor_pb2.Verdict(endpoint="late", rollout_id=rollout.id, step=0)
    async with platform.watching() as after:
        await platform.publish(
            VERDICTS,
            b"\xff",
            b"",
            monitor_events_pb2.VerdictReached(verdict=unknown).SerializeToString(),
            verdict(rollout.id, 0),
        )
        assert (await after()).rollout.step == 1
        await platform.publish(ARMS, b"\xff\xff", b"")
    wire = platform.wire
    letters = await wire.events(dead_letter_topic(VERDICTS, "registry"), 3)
    assert [letter.event.value for letter in letters[:2]] == [b"\xff", b""]
    assert "VerdictReached" in letters[0].event.headers["dlq-error"]
    assert "verdict.decision" in letters[2].event.headers["dlq-error"]
    letters = await wire.events(dead_letter_topic(ARMS, "registry"), 2)
    assert ["ArmDisabled" in letters[0].event.headers["dlq-error"], len(letters)] == [True, 2]


async def test_starting_and_cancelling_may_be_repeated(platform: Platform) -> None:
    started = await platform.start(plan=plan(25))
    assert await platform.start(plan=plan(25)) == started
    reused = await platform.refused(platform.start(plan=plan(30)))
    assert (reused.kind, reused.reason) == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    ended = await platform.cancel(started.rollout.id, reason="on second thoughts")
    assert (ended.rollout.state, ended.rollout.reason) == (res.ROLLOUT_STATE_ROLLED_BACK, "on second thoughts")
    assert arms(ended) == {"main": (1, 1, False), "nightly": (1, 0, True)}
    assert await platform.cancel(started.rollout.id, reason="again") == ended
    # The key still stands for the rollout that has ended.
    assert await platform.start(plan=plan(25)) == ended
    again = await platform.start(version=2, request_id="another")
    listed = (await platform.wire.call("ListRollouts", pb.ListRolloutsRequest(endpoint="late", page_size=1))).rollouts
    assert list(listed) == [again.rollout]
    assert await platform.cancel(started.rollout.id) == again


async def test_a_start_is_refused_with_the_mend(platform: Platform) -> None:
    await platform.put(res.Route(name="main", model="m", version=1, weight=1), name="pinned")
    await platform.put(FOLLOWING, name="sister")
    for more, kind, reason in (
        ({"version": 9}, Kind.NOT_FOUND, "VERSION_NOT_FOUND"),
        ({"endpoint": "nobody"}, Kind.NOT_FOUND, "ENDPOINT_NOT_FOUND"),
        ({"version": 1}, Kind.FAILED_PRECONDITION, "ROLLOUT_IMPOSSIBLE"),
        ({"endpoint": "pinned"}, Kind.FAILED_PRECONDITION, "NO_ALIAS_FOLLOWED"),
        ({"plan": plan(0, 100)}, Kind.INVALID_ARGUMENT, "INVALID_FIELD"),
        ({"plan": plan()}, Kind.INVALID_ARGUMENT, "INVALID_FIELD"),
        ({"version": 0}, Kind.INVALID_ARGUMENT, "INVALID_FIELD"),
    ):
        error = await platform.refused(platform.start(**more))
        assert (error.kind, error.reason) == (kind, reason), more
    bad = pb.StartRolloutRequest(request_id="x", endpoint="late", version=2)
    bad.start_event_time.seconds = 2**60
    error = await platform.refused(platform.wire.call("StartRollout", bad))
    assert [one.field for one in error.violations] == ["start_event_time"]

    await platform.start()
    for call in (
        platform.start(version=3),
        platform.start(version=3, endpoint="sister"),
        platform.put(res.Route(name="main", model="m", version=3, weight=1)),
        platform.point(3),
    ):
        error = await platform.refused(call)
        assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "ROLLOUT_RUNNING")
        assert "CancelRollout" in error.message
    # What asks for nothing new is no fault: the arms as they are, those from before it, the alias where it points.
    during = await platform.endpoint()
    assert await platform.put(*during.routes) == during
    assert await platform.put(FOLLOWING, NIGHTLY) == during
    await platform.point(1)
    assert await platform.endpoint() == during


async def test_deleting_an_endpoint_ends_its_rollout(platform: Platform) -> None:
    await platform.start()
    await platform.wire.call("DeleteEndpoint", pb.DeleteEndpointRequest(name="late"))
    await platform.point(3)
    back = await platform.put(FOLLOWING)
    assert (back.rollout.state, back.rollout.reason) == (res.ROLLOUT_STATE_ROLLED_BACK, "the endpoint was deleted")


async def test_two_rollbacks_in_a_row_go_two_versions_back(platform: Platform) -> None:
    await platform.put(FOLLOWING, name="sister")
    await platform.point(2)
    await platform.point(3)
    back = await platform.roll_back(from_version=3, reason="wrong units")
    assert arms(back)["main"] == (2, 1, False)
    assert arms(await platform.endpoint("sister"))["main"] == (2, 1, False)
    # The answer was lost: the same call finds its own work.
    assert await platform.roll_back(from_version=3) == back
    assert arms(await platform.roll_back())["main"] == (1, 1, False)
    error = await platform.refused(platform.roll_back())
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "NO_VERSION_BEFORE")
    error = await platform.refused(platform.roll_back(from_version=3))
    assert (error.kind, error.facts) == (Kind.ABORTED, {"expected": "3", "actual": "1"})


async def test_a_rollback_takes_back_what_a_rollout_did_and_ends_one_that_runs(platform: Platform) -> None:
    rollout = (await platform.start(plan=plan(0))).rollout
    async with platform.watching() as after:
        await platform.publish(VERDICTS, verdict(rollout.id, 0))
        assert arms(await after())["main"] == (2, 1, False)
    await platform.start(version=3)
    await platform.put(FOLLOWING, name="sister")
    request = pb.RollBackEndpointRequest(endpoint="sister", reason="wrong units")
    sister = (await platform.wire.call("RollBackEndpoint", request)).endpoint
    assert arms(sister) == {"main": (1, 1, False)}
    back = await platform.endpoint()
    assert arms(back) == {"main": (1, 1, False), "nightly": (1, 0, True)}
    assert (back.rollout.state, back.rollout.reason) == (res.ROLLOUT_STATE_ROLLED_BACK, "wrong units")


async def test_a_rollback_leaves_no_previous_arm(platform: Platform) -> None:
    rollout = (await platform.start(plan=plan(0))).rollout
    async with platform.watching() as after:
        await platform.publish(VERDICTS, verdict(rollout.id, 0))
        assert "previous" in arms(await after())
    assert arms(await platform.roll_back(from_version=2)) == {"main": (1, 1, False), "nightly": (1, 0, True)}


async def test_an_ab_rollout_and_the_fallback_are_watched_with_their_versions(platform: Platform) -> None:
    await platform.point(2)
    endpoint = res.Endpoint(name="late", routes=[FOLLOWING], fallback=res.Fallback(version=res.FallbackVersion()))
    await platform.wire.call("PutEndpoint", pb.PutEndpointRequest(endpoint=endpoint, reason="stand in"))
    kind = res.RolloutPlan(kind=res.ROLLOUT_KIND_AB, experiment="spring")
    started = await platform.start(version=3, plan=kind)
    assert (started.experiment.name, list(started.experiment.arms)) == ("spring", ["main", "candidate"])
    assert (started.experiment.salt, started.rollout.plan.steps[0].percent) == (started.rollout.id, 50)
    async with aclosing(platform.wire.stream("WatchEndpoints")) as states:
        state = await anext(states)
    assert list(state.endpoints) == [started]
    assert sorted(one.number for one in state.versions) == [1, 2, 3]
    request = pb.ListEndpointRevisionsRequest(endpoint="late", page_size=2)
    page = await platform.wire.call("ListEndpointRevisions", request)
    assert [(one.cause, one.reason, one.rollout_id) for one in page.revisions] == [
        (res.REVISION_CAUSE_ROLLOUT, "it started", started.rollout.id),
        (res.REVISION_CAUSE_PUT, "stand in", ""),
    ]
    request.page_token = page.next_page_token
    rest = (await platform.wire.call("ListEndpointRevisions", request)).revisions
    assert [one.cause for one in rest] == [res.REVISION_CAUSE_ALIAS, res.REVISION_CAUSE_PUT]
    assert (rest[0].endpoint.routes[0].resolved_version, rest[0].reason) == (2, "alias champion of m: 1 -> 2")
    error = await platform.refused(platform.roll_back(from_version=2, to_revision=1))
    assert [one.field for one in error.violations] == ["from_version"]


async def test_a_shadow_alone_serves_nobody(platform: Platform) -> None:
    error = await platform.refused(platform.put(NIGHTLY, name="dark"))
    assert [one.field for one in error.violations] == ["endpoint.routes"]
