"""Rollouts of every kind and the way back, on the catalogue in memory and a clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.registry.adapters.memory import MemoryCatalogue
from services.registry.domain.endpoint import Endpoint, EndpointSpec, Route, Target
from services.registry.domain.errors import RevisionImpossible, RevisionNotFound, RolloutImpossible
from services.registry.domain.experiment import Experiment
from services.registry.domain.fallback import DefaultAnswer, DefaultOutput, FallbackVersion
from services.registry.domain.model import Artifact, ColumnSpec, DataType, Draft, Lineage, Model, Signature, TensorSpec
from services.registry.domain.revision import Cause
from services.registry.domain.rollout import (
    ArmDisabled,
    Decision,
    RolloutKind,
    RolloutPlan,
    RolloutState,
    RolloutStep,
    Verdict,
)
from services.registry.domain.start import StartRollout
from services.registry.engine.desired import Aliases, Endpoints
from services.registry.engine.judging import Judging
from services.registry.engine.keeping import Keeping
from services.registry.engine.revisions import Revisions
from services.registry.engine.rollback import RollBack
from services.registry.engine.rollouts import Rollouts
from services.registry.engine.watch import Watch
from slipway.clock import ManualClock
from slipway.errors import InvalidInput

START = datetime(2013, 5, 1, tzinfo=UTC)
MAIN = Route("main", Target("m", alias="champion"), 100)


class Dock:
    """A registry's engine with versions 1 to 4 of ``m``, its alias at 1, and ``late`` and ``sister`` that follow it."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.catalogue = MemoryCatalogue()
        watch = Watch(self.catalogue)
        self.endpoints = Endpoints(self.catalogue, watch, self.clock)
        self.aliases = Aliases(self.catalogue, watch, self.clock)
        self.rollouts = Rollouts(self.catalogue, watch, self.clock)
        self.judging = Judging(self.catalogue, watch, self.clock)
        self.keeping = Keeping(self.catalogue, watch, self.clock)
        self.back = RollBack(self.catalogue, watch, self.clock)
        self.revisions = Revisions(self.catalogue)
        self._events = 0

    async def fill(self) -> None:
        columns, outputs = (ColumnSpec("x", DataType.FP32),), (TensorSpec("p", DataType.FP32, (-1, 2)),)
        draft = Draft("m", Artifact("sha256:" + "a" * 64, 1), Signature(columns, outputs), {}, {}, Lineage())
        async with self.catalogue.write() as writer:
            await writer.add_model(Model("m", "dock", "", START))
            for number in range(4):
                await writer.add_version(draft, f"v{number}", "", START)
        await self.aliases.set("m", "champion", 1, None)
        for name in ("late", "sister"):
            await self.put(MAIN, name=name)

    async def put(self, *routes: Route, name: str = "late", **more: object) -> Endpoint:
        return await self.endpoints.put(name, EndpointSpec(routes, **more), None, "")  # type: ignore[arg-type]

    async def start(self, version: int, kind: RolloutKind, *steps: RolloutStep, **more: object) -> Endpoint:
        plan = RolloutPlan(steps, kind=kind, **more)  # type: ignore[arg-type]
        return await self.rollouts.start(StartRollout(f"{kind}-{version}", "late", version, plan))

    async def hear(self, decision: Decision, labels: int, reason: str = "why") -> Endpoint:
        now = await self.late()
        assert now.rollout
        self._events += 1
        verdict = Verdict("late", now.rollout.id, now.rollout.step, decision, reason, labels)
        await self.judging.take({f"v{self._events}": verdict})
        return await self.late()

    async def late(self) -> Endpoint:
        return await self.endpoints.get("late")


def arms(endpoint: Endpoint) -> dict[str, tuple[int, int, bool]]:
    return {route.name: (route.resolved, route.weight, route.shadow) for route in endpoint.routes}


@pytest.fixture
async def dock() -> Dock:
    dock = Dock()
    await dock.fill()
    return dock


async def test_while_the_monitor_is_silent_no_step_is_passed_however_long(dock: Dock) -> None:
    before = await dock.start(2, RolloutKind.CANARY, RolloutStep(10, 100, 200), RolloutStep(50, 100, 200))
    dock.clock.advance(timedelta(days=3650).total_seconds())
    assert await dock.keeping.let_go() == 0
    strange = Verdict("late", "another", 0, Decision.PROMOTE, "", 10_000)
    await dock.judging.take({"other": strange})
    assert await dock.late() == before
    assert (before.rollout and before.rollout.step, arms(before)["candidate"]) == (0, (2, 10, True))


@pytest.mark.parametrize("kind", RolloutKind)
@pytest.mark.parametrize(("decision", "labels"), [(Decision.INCONCLUSIVE, 200), (Decision.PROMOTE, 99)])
async def test_a_verdict_without_enough_labels_ends_it_where_it_started(
    dock: Dock, kind: RolloutKind, decision: Decision, labels: int
) -> None:
    steps = {RolloutKind.CANARY: 10, RolloutKind.BLUE_GREEN: 0, RolloutKind.AB: 50}
    before = await dock.late()
    await dock.start(2, kind, RolloutStep(steps[kind], 100, 200))
    ended = await dock.hear(decision, labels)
    assert ended.spec == before.spec
    assert ended.rollout
    assert ended.rollout.state is RolloutState.INCONCLUSIVE


async def test_blue_green_warms_up_switches_at_once_and_keeps_the_version_before_for_its_time(dock: Dock) -> None:
    started = await dock.start(2, RolloutKind.BLUE_GREEN, keep_s=600)
    assert arms(started) == {"main": (1, 100, False), "candidate": (2, 0, True)}
    switched = await dock.hear(Decision.PROMOTE, 500)
    assert arms(switched) == {"main": (2, 100, False), "previous": (1, 0, True)}
    dock.clock.advance(599)
    assert (await dock.keeping.let_go(), arms(await dock.late())) == (0, arms(switched))
    dock.clock.advance(1)
    assert (await dock.keeping.let_go(), await dock.keeping.let_go()) == (1, 0)
    assert arms(await dock.late()) == {"main": (2, 100, False)}
    last = (await dock.revisions.list("late", 1, "")).rows[0]
    assert (last.why.cause, last.why.reason) == (Cause.ROLLOUT, "the version before was kept for 600 s")


async def test_an_ab_split_is_an_experiment_of_its_own_salt_until_its_labels_decide(dock: Dock) -> None:
    started = await dock.start(2, RolloutKind.AB, RolloutStep(40, 100, 200), experiment="spring")
    assert started.rollout
    assert started.spec.experiment == Experiment("spring", ("main", "candidate"), started.rollout.id)
    assert arms(started) == {"main": (1, 60, False), "candidate": (2, 40, True)}
    won = await dock.hear(Decision.PROMOTE, 100)
    assert (won.spec.experiment, arms(won)["main"]) == (None, (2, 100, False))
    own = Experiment("mine", ("main", "other"))
    await dock.put(MAIN, Route("other", Target("m", 1), 100), experiment=own)
    with pytest.raises(RolloutImpossible, match="'mine'"):
        await dock.start(3, RolloutKind.AB)


async def test_a_fallback_to_the_version_before_follows_the_alias(dock: Dock) -> None:
    first = await dock.put(MAIN, fallback=FallbackVersion())
    assert first.spec.fallback == FallbackVersion()
    await dock.aliases.set("m", "champion", 2, None)
    assert (await dock.late()).spec.fallback == FallbackVersion("", 0, "m", 1)
    assert (await dock.late()).spec.versions == {("m", 2), ("m", 1)}
    await dock.start(3, RolloutKind.BLUE_GREEN)
    assert (await dock.hear(Decision.PROMOTE, 500)).spec.fallback == FallbackVersion("", 0, "m", 2)
    await dock.back.roll_back("late", None, "")
    assert (await dock.late()).spec.fallback == FallbackVersion("", 0, "m", 1)
    with pytest.raises(InvalidInput, match="follows no alias"):
        await dock.put(Route("main", Target("m", 1), 1), fallback=FallbackVersion())


async def test_a_default_answer_must_be_one_of_the_versions(dock: Dock) -> None:
    good = DefaultAnswer((DefaultOutput("p", (0.5, 0.5)),))
    assert (await dock.put(MAIN, fallback=good)).spec.fallback == good
    for wrong in (DefaultOutput("q", (0.5, 0.5)), DefaultOutput("p", (0.5,)), DefaultOutput("p", (), ("a", "b"))):
        with pytest.raises(InvalidInput) as caught:
            await dock.put(MAIN, fallback=DefaultAnswer((wrong,)))
        assert caught.value.violations[0].field == "endpoint.fallback.default_answer.outputs"


async def test_any_revision_is_gone_back_to_with_its_aliases_and_without_a_rollouts_arms(dock: Dock) -> None:
    first = await dock.late()
    await dock.aliases.set("m", "champion", 2, None)
    nightly = Route("nightly", Target("m", alias="nightly"), 0, shadow=True)
    await dock.aliases.set("m", "nightly", 4, None)
    beside = await dock.put(MAIN, nightly, sticky_by=("plane",))
    during = await dock.start(3, RolloutKind.CANARY, RolloutStep(25, 100, 200))
    await dock.aliases.set("m", "nightly", 3, None)
    later = (await dock.late()).revision

    back = await dock.back.to_revision("late", first.revision, "noon")
    assert (arms(back), back.spec.sticky_by) == ({"main": (1, 100, False)}, ())
    assert back.rollout
    assert (back.rollout.state, back.rollout.reason) == (RolloutState.ROLLED_BACK, "noon")
    assert arms(await dock.endpoints.get("sister")) == {"main": (1, 100, False)}
    assert await dock.back.to_revision("late", first.revision, "again") == back

    # A revision of while the rollout ran is the endpoint without it; each alias is where it was then.
    for revision, nights in ((during.revision, 4), (later, 3)):
        forth = await dock.back.to_revision("late", revision, "")
        assert arms(forth) == {"main": (2, 100, False), "nightly": (nights, 0, True)}
        assert forth.spec.sticky_by == ("plane",)
    assert beside.spec == (await dock.back.to_revision("late", beside.revision, "")).spec

    causes = [(one.why.cause, bool(one.why.rollout_id)) for one in (await dock.revisions.list("late", 50, "")).rows]
    assert causes[::-1] == [
        (Cause.PUT, False),
        (Cause.ALIAS, False),
        (Cause.PUT, False),
        (Cause.ROLLOUT, True),
        (Cause.ALIAS, True),
        *[(Cause.ROLLBACK, False)] * 4,
    ]


async def test_a_deleted_endpoint_is_there_again_and_what_is_gone_is_told(dock: Dock) -> None:
    before = await dock.late()
    await dock.endpoints.delete("late")
    deleted = (await dock.revisions.list("late", 1, "")).rows[0]
    assert (deleted.spec, deleted.why.cause) == (None, Cause.DELETED)
    with pytest.raises(RevisionImpossible, match="it was deleted"):
        await dock.back.to_revision("late", deleted.revision, "")
    assert (await dock.back.to_revision("late", before.revision, "")).spec == before.spec
    for unknown in (deleted.revision - 1, 10_000, 2**64 - 1):
        with pytest.raises(RevisionNotFound):
            await dock.back.to_revision("late", unknown, "")
    await dock.aliases.set("m", "spare", 2, None)
    spared = await dock.put(Route("main", Target("m", alias="spare"), 1))
    await dock.put(MAIN)
    await dock.aliases.delete("m", "spare")
    with pytest.raises(RevisionImpossible, match="alias 'spare'"):
        await dock.back.to_revision("late", spared.revision, "")


async def test_an_arm_that_a_gateway_gave_up_is_kept_as_its_cause(dock: Dock) -> None:
    started = await dock.start(2, RolloutKind.CANARY, RolloutStep(25, 100, 200))
    await dock.judging.take({"g": ArmDisabled("late", "candidate", "m", 2, started.revision, "5 of 5 failed")})
    last = (await dock.revisions.list("late", 1, "")).rows[0]
    assert (last.why.cause, last.why.reason) == (Cause.GUARDRAIL, "5 of 5 failed")
