"""What every catalogue promises about rollouts, where aliases have pointed, baselines and the inbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.registry.adapters import memory, sql
from services.registry.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.registry.domain.endpoint import EndpointSpec, Route, Target
from services.registry.domain.experiment import Experiment
from services.registry.domain.fallback import DefaultAnswer, DefaultOutput, FallbackVersion
from services.registry.domain.guardrails import Guardrails
from services.registry.domain.history import AliasMove
from services.registry.domain.model import (
    Artifact,
    ColumnSpec,
    DataReference,
    DataType,
    Draft,
    Lineage,
    Model,
    Signature,
    TensorSpec,
)
from services.registry.domain.revision import Cause, EndpointRevision, Why
from services.registry.domain.rollout import Rollout, RolloutKind, RolloutPlan, RolloutState, RolloutStep
from slipway.paging import Page

NOW = datetime(2013, 5, 1, 5, 15, 0, 250_000, tzinfo=UTC)
WHY = Why(Cause.PUT)
LATER = NOW + timedelta(hours=1)
DRAFT = Draft(
    model="m",
    artifact=Artifact("sha256:" + "a" * 64, 10),
    signature=Signature(
        (
            ColumnSpec("distance", DataType.FP32, nullable=True, feature="plane:distance"),
            ColumnSpec("carrier", DataType.BYTES),
        ),
        (TensorSpec("late", DataType.FP32, (-1, 1)),),
        (ColumnSpec("plane", DataType.BYTES, description="tail number"),),
    ),
    metrics={},
    params={},
    lineage=Lineage(DataReference("sha256:d", "flights", 10, "ts-1", ("plane@3", "flight_delay@2"))),
    baseline=Baseline(
        (
            FeatureBaseline("distance", 0.1 + 0.2, (0.1, 1e300), (), (1, 2, 2**62), 4, 0.1),
            FeatureBaseline("carrier", 0.5, (), ("UA", "é"), (1, 2, 3), 0),
            FeatureBaseline("year", 0.0, (), (), (), 0, minimum=0.1, maximum=2**60),
        ),
        PerformanceBaseline(0.7, None, 0.5, 0.01, 9),
        7 * 86_400_000_000,
        2**62,
    ),
)
ROUTE = Route("main", Target("m", alias="champion"), 100, 1)
CANDIDATE = Route("candidate", Target("m", 2), 0, 2, shadow=True)


def rollout(number: int = 1, endpoint: str = "late") -> Rollout:
    return Rollout(
        id=f"{endpoint}{number}",
        endpoint=endpoint,
        number=number,
        model="m",
        candidate_version=2,
        baseline_version=1,
        alias="champion",
        main_route="main",
        main_weight=100,
        plan=RolloutPlan((RolloutStep(0, 100, 200), RolloutStep(25, 100, 2**32 - 1)), 0.1 + 0.2, 0.05),
        state=RolloutState.RUNNING,
        step=0,
        reason="",
        create_time=NOW,
        update_time=NOW,
        start_revision=2**40,
        start_event_time=None if number == 1 else NOW,
    )


@pytest.fixture
async def catalogue(subject: Any) -> Any:
    async with subject.catalogue.write() as writer:
        await writer.add_model(Model("m", "dock", "", NOW))
        for number in range(2):
            await writer.add_version(DRAFT, f"r{number}", "mark", NOW)
    return subject.catalogue


async def test_a_version_is_read_back_with_its_baseline_features_and_join_keys(catalogue: Any) -> None:
    async with catalogue.read() as reader:
        assert (await reader.version("m", 2)).draft == DRAFT
        assert (await reader.registration("r0"))[0].draft == DRAFT
        assert [one.draft for one in await reader.versions("m", Page(9, None))] == [DRAFT, DRAFT]
    plain = replace(DRAFT, baseline=None, lineage=Lineage(), signature=replace(DRAFT.signature, entities=()))
    async with catalogue.write() as writer:
        await writer.add_version(plain, "plain", "mark", NOW)
    async with catalogue.read() as reader:
        assert (await reader.version("m", 3)).draft == plain


async def test_a_rollout_stands_with_its_endpoint_and_the_latest_is_shown(catalogue: Any) -> None:
    async with catalogue.write() as writer:
        await writer.add_rollout(rollout(), "a", "mark a")
        put = await writer.put_endpoint(
            "late",
            EndpointSpec(
                (
                    ROUTE,
                    CANDIDATE,
                )
            ),
            WHY,
            NOW,
        )
        assert put.rollout == rollout()
        await writer.put_endpoint("other", EndpointSpec((ROUTE,)), WHY, NOW)
    ended = replace(rollout(), state=RolloutState.ROLLED_BACK, step=1, reason="é", update_time=LATER)
    async with catalogue.read() as reader:
        assert await reader.endpoint("late") == put
        assert (await reader.endpoint("other")).rollout is None
        assert await reader.rollout_request("a") == (rollout(), "mark a")
        assert await reader.rollout_request("b") is None
    async with catalogue.write() as writer:
        await writer.update_rollout(ended)
        assert (await writer.put_endpoint("late", EndpointSpec((ROUTE,)), WHY, LATER)).rollout == ended
        await writer.add_rollout(rollout(2), "b", "mark b")
        assert (
            await writer.put_endpoint(
                "late",
                EndpointSpec(
                    (
                        ROUTE,
                        CANDIDATE,
                    )
                ),
                WHY,
                LATER,
            )
        ).rollout == rollout(2)
    async with catalogue.read() as reader:
        assert [one.rollout for one in await reader.endpoints(Page(9, None))] == [rollout(2), None]
        assert (await reader.endpoints_following("m", "champion"))[0].rollout == rollout(2)
        assert (await reader.endpoints_since(0))[0][-1].rollout == rollout(2)
        assert await reader.rollout("late1") == ended
        assert await reader.rollout("nobody") is None


async def test_rollouts_are_paged_newest_first(catalogue: Any) -> None:
    async with catalogue.write() as writer:
        for number in (1, 2, 3):
            await writer.add_rollout(rollout(number), f"a{number}", "mark")
        await writer.add_rollout(rollout(1, "other"), "o", "mark")
    async with catalogue.read() as reader:
        assert [one.number for one in await reader.rollouts("late", Page(1, None))] == [3, 2]
        assert [one.number for one in await reader.rollouts("late", Page(1, (3,)))] == [2, 1]
        assert [one.number for one in await reader.rollouts("late", Page(1, (1,)))] == []
        assert list(await reader.rollouts("nobody", Page(1, None))) == []


async def test_all_of_an_endpoint_and_of_its_plan_is_read_back(catalogue: Any) -> None:
    whole = EndpointSpec(
        (ROUTE, CANDIDATE),
        Guardrails(0.1 + 0.2, 12.5, 1_000, 100),
        DefaultAnswer(
            (DefaultOutput("late", (0.1 + 0.2, -1e300)), DefaultOutput("why", (), ("é", ""))), when_not_ready=True
        ),
        ("plane", "Passenger.id"),
        Experiment("spring", ("main", "candidate"), "salt"),
    )
    standing_in = replace(whole, guardrails=Guardrails(), fallback=FallbackVersion("", 0, "m", 1), experiment=None)
    kinds = RolloutPlan((RolloutStep(50, 1, 2),), 0.0, 0.1, RolloutKind.AB, 7, "spring")
    async with catalogue.write() as writer:
        await writer.add_rollout(replace(rollout(), plan=kinds), "a", "mark")
        first = await writer.put_endpoint("late", whole, Why(Cause.ROLLOUT, "é", "late1"), NOW)
        second = await writer.put_endpoint("late", standing_in, WHY, LATER)
        await writer.put_endpoint("other", EndpointSpec((ROUTE,)), WHY, NOW)
        await writer.delete_endpoint("late", Why(Cause.DELETED, "gone"), LATER)
    async with catalogue.read() as reader:
        assert (await reader.rollout("late1")).plan == kinds
        assert await reader.endpoint_revision("late", 1) == EndpointRevision(
            "late", 1, whole, Why(Cause.ROLLOUT, "é", "late1"), NOW
        )
        assert [(one.revision, one.spec) for one in await reader.endpoint_revisions("late", Page(1, None))] == [
            (4, None),
            (2, standing_in),
        ]
        assert [one.revision for one in await reader.endpoint_revisions("late", Page(9, (2,)))] == [1]
        assert await reader.endpoint_revision("late", 3) is None
        assert [one.name for one in await reader.endpoints_with("main")] == ["other"]
        assert [(first.revision, first.spec), (second.revision, second.spec)] == [(1, whole), (2, standing_in)]
    async with catalogue.write() as writer:
        assert await writer.put_endpoint("late", whole, WHY, LATER) == await writer.endpoint("late")


async def test_the_last_revisions_of_each_endpoint_stay(catalogue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (memory, sql):
        monkeypatch.setattr(module, "MAX_KEPT", 3)
    async with catalogue.write() as writer:
        for turn in range(5):
            await writer.put_endpoint("late", EndpointSpec((replace(ROUTE, weight=turn + 1),)), WHY, NOW)
            if not turn:
                await writer.put_endpoint("other", EndpointSpec((ROUTE,)), WHY, NOW)
    async with catalogue.read() as reader:
        kept = await reader.endpoint_revisions("late", Page(9, None))
        assert [(one.revision, one.spec.routes[0].weight) for one in kept] == [(6, 5), (5, 4), (4, 3)]
        assert [one.revision for one in await reader.endpoint_revisions("other", Page(9, None))] == [2]


async def test_where_an_alias_has_pointed_is_kept_in_order(catalogue: Any) -> None:
    moves = [
        AliasMove("m", "champion", 0, 1, LATER),
        AliasMove("m", "champion", 1, 2, NOW, "rollout r"),
        AliasMove("m", "champion", 2, 1, NOW, "é", rollback=True),
    ]
    async with catalogue.write() as writer:
        for move in moves:
            await writer.add_alias_move(move)
        await writer.add_alias_move(AliasMove("m", "other", 0, 1, NOW))
        assert list(await writer.alias_moves("m", "champion")) == moves
    async with catalogue.read() as reader:
        assert list(await reader.alias_moves("m", "champion")) == moves
        assert list(await reader.alias_moves("m", "nobody")) == []


async def test_an_event_is_claimed_once_until_it_is_forgotten(catalogue: Any) -> None:
    async with catalogue.write() as writer:
        assert await writer.claim(["a", "b"], NOW) == {"a", "b"}
    async with catalogue.write() as writer:
        assert await writer.claim(["b", "c"], LATER) == {"c"}

    async def fail() -> None:
        async with catalogue.write() as writer:
            await writer.claim(["d"], LATER)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with catalogue.write() as writer:
        assert await writer.claim(["d"], LATER) == {"d"}
        assert await writer.forget(LATER) == 2
        assert await writer.claim(["a", "c"], LATER) == {"a"}
