"""Shadow arms: what others answered, scored for the log alone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from typing import Any

from slipway.client import VersionState


def by_kind(batches: list[Any]) -> tuple[list[str], list[str]]:
    """The ids of the rows that were answered, and of those that a shadow scored."""
    answered = [one for batch in batches if not batch.shadow for one in batch.prediction_ids]
    return answered, [one for batch in batches if batch.shadow for one in batch.prediction_ids]


async def test_a_shadow_scores_every_answer_once_under_its_id_and_answers_nothing(world: Any) -> None:
    first, second = await world.register(100.0), await world.register(200.0)
    await world.route("late", ("main", first, 1), ("candidate", second, 0), shadow="candidate")
    await world.ready("late", first, second)
    [main, candidate] = (await world.status("late")).routes
    assert (main.shadow, candidate.shadow, candidate.weight) == (False, True, 0)
    ids = [f"s{number}" for number in range(40)]
    for start in range(0, 40, 4):
        some = ids[start : start + 4]
        answers = await world.client.inference.predict("late", [world.row] * 4, prediction_ids=some)
        assert {(one.version, one.outputs["p"][0]) for one in answers} == {(first, 101.0)}
    again = await world.client.inference.predict("late", [world.row] * 4, prediction_ids=ids[:4])
    assert all(one.replayed for one in again)
    batches = await world.logged("late", 80)
    answered, scored = by_kind(batches)
    assert Counter(answered) == Counter(scored) == Counter(ids)
    assert {(one.route, one.version) for one in batches if one.shadow} == {("candidate", second)}
    assert {
        value for one in batches if one.shadow for out in one.outputs if out.name == "p" for value in out.values
    } == {201.0}
    # A retry after a restart finds the answer, not the shadow's score.
    await world.stop_gateway()
    await world.start_gateway()
    [kept] = await world.client.inference.predict("late", [world.row], prediction_ids=ids[:1])
    assert (kept.replayed, kept.version) == (True, first)


async def test_an_arm_with_weight_and_shadow_scores_just_what_it_did_not_answer(world: Any) -> None:
    first, second = await world.register(100.0), await world.register(200.0)
    await world.route("late", ("main", first, 60), ("candidate", second, 40), shadow="candidate")
    await world.ready("late", first, second)
    keys = [{"flight": f"UA{number}"} for number in range(200)]
    ids = [f"w{number}" for number in range(200)]
    answers = await world.client.inference.predict("late", [world.row] * 200, entity_keys=keys, prediction_ids=ids)
    taken = {arm: [one.prediction_id for one in answers if one.route == arm] for arm in ("main", "candidate")}
    assert min(len(rows) for rows in taken.values()) > 40
    answered, scored = by_kind(await world.logged("late", 200 + len(taken["main"])))
    assert Counter(answered) == Counter(ids)
    assert scored == taken["main"]


async def test_what_waits_is_scored_before_the_process_ends(world: Any) -> None:
    first, second = await world.register(100.0), await world.register(200.0)
    await world.route("late", ("main", first, 1), ("candidate", second, 0), shadow="candidate")
    await world.ready("late", first, second)
    await asyncio.gather(*(world.client.inference.predict("late", [world.row]) for _ in range(60)))
    await world.stop_gateway()
    await world.start_gateway()
    answered, scored = by_kind(await world.logged("late", 120))
    assert Counter(answered) == Counter(scored)


async def test_a_shadow_that_hangs_delays_no_answer_and_what_does_not_fit_is_left_out(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(shadow_queue_limit=2)
    first, second = await world.register(100.0), await world.register(200.0)
    await world.route("late", ("main", first, 1), ("candidate", second, 0), shadow="candidate")
    await world.ready("late", first, second)
    pid = (await world.status("late")).routes[1].worker_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(30):
            await world.client.inference.predict("late", [world.row])
    finally:
        os.kill(pid, signal.SIGCONT)
    answered, scored = by_kind(await world.logged("late", 32))
    assert (len(answered), len(scored)) == (30, 2)
    assert set(scored) <= set(answered)


async def test_a_shadow_is_not_waited_for(world: Any) -> None:
    good, broken = await world.register(100.0), await world.register(artifact=world.models.zipmap())
    await world.route("late", ("main", good, 1), ("candidate", broken, 0), shadow="candidate")
    both = (VersionState.READY, VersionState.FAILED)
    arms = await world.until("late", lambda arms: tuple(one.state for one in arms) == both)
    assert arms[0].serving_version == good
    await world.client.inference.predict("late", [world.row])
