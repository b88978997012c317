from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from services.feature_serving.domain.recipe import Ingredient, Recipe, Typed, Windowed, mark
from services.feature_serving.domain.training_set import (
    Contents,
    Facts,
    SetColumn,
    SetInput,
    SetState,
    TrainingSet,
)
from services.feature_serving.ports.training_sets import TrainingSets
from slipway.paging import Page

NOW = datetime(2013, 1, 1, tzinfo=UTC)
VIEW = Ingredient(
    view="late",
    revision=2,
    entities=(Typed("tailnum", "STRING"), Typed("number", "")),
    features=(Typed("n", "INT64"),),
    max_age_us=5,
    path="p",
    event_time_column="t",
    created_time_column="",
    digest="sha256:1",
    windows=(Windowed("n", "delay", "COUNT", 7_200_000_000),),
    hop_us=3_600_000_000,
)
RECIPE = Recipe("sha256:s", "svc", 1, ("late:n",), (VIEW,), None, "code")
FACTS = Facts(3, 1, (SetColumn("late__n", "late:n", 2),), (SetInput("late", 2, "p", "sha256:1", 9),))
CONTENTS = Contents("sha256:d", 100, FACTS)


def a_set(set_id: str, **changes: object) -> TrainingSet:
    return TrainingSet(set_id, replace(RECIPE, **changes), NOW)  # type: ignore[arg-type]


async def stored(sets: TrainingSets, *made: TrainingSet) -> None:
    async with sets.write() as writer:
        for one in made:
            await writer.add(one)


async def test_a_set_comes_back_as_it_was_put(training_sets: TrainingSets) -> None:
    made = a_set("a", cutoff_us=-1)
    await stored(training_sets, made)
    async with training_sets.write() as writer:
        assert await writer.get("a") == made
        await writer.finish(made.ready(CONTENTS, NOW))
    async with training_sets.read() as reader:
        assert await reader.get("a") == made.ready(CONTENTS, NOW)
        assert await reader.get("b") is None


async def test_what_has_ended_stays_as_it_ended(training_sets: TrainingSets) -> None:
    made = a_set("a")
    await stored(training_sets, made)
    for ending in (made.ready(CONTENTS, NOW), made.failed("too late", NOW)):
        async with training_sets.write() as writer:
            await writer.finish(ending)
    async with training_sets.read() as reader:
        found = await reader.get("a")
    assert found is not None
    assert found.state is SetState.READY


async def test_the_oldest_that_is_to_be_made_comes_next(training_sets: TrainingSets) -> None:
    async with training_sets.read() as reader:
        assert await reader.next() is None
    await stored(training_sets, *(a_set(name, code=name) for name in "cab"))
    for name in "cab":
        async with training_sets.write() as writer:
            found = await writer.next()
            assert found is not None
            assert found.id == name
            await writer.finish(found.failed("why", NOW))
    async with training_sets.read() as reader:
        assert await reader.next() is None


async def test_a_recipe_finds_its_set_unless_it_failed(training_sets: TrainingSets) -> None:
    first, second = a_set("a"), a_set("b")
    await stored(training_sets, first, a_set("other", cutoff_us=5))
    async with training_sets.read() as reader:
        assert await reader.made_by(mark(RECIPE)) == first
        assert await reader.made_by(mark(replace(RECIPE, code="newer"))) is None
    async with training_sets.write() as writer:
        await writer.finish(first.failed("why", NOW))
        assert await writer.made_by(mark(RECIPE)) is None
        await writer.add(second)
        assert await writer.made_by(mark(RECIPE)) == second


async def test_a_request_finds_its_answer(training_sets: TrainingSets) -> None:
    made = a_set("a")
    async with training_sets.write() as writer:
        await writer.add(made)
        await writer.remember("one", "print", "a")
        await writer.remember("two", "other", "a")
    async with training_sets.read() as reader:
        assert await reader.asked("one") == (made, "print")
        assert await reader.asked("two") == (made, "other")
        assert await reader.asked("three") is None


async def test_pages_are_newest_first(training_sets: TrainingSets) -> None:
    await stored(training_sets, *(a_set(name, code=name) for name in "abc"))
    async with training_sets.read() as reader:
        first = await reader.page(Page(1, None))
        assert [one.id for _, one in first] == ["c", "b"]
        rest = await reader.page(Page(5, (first[0][0],)))
    assert [one.id for _, one in rest] == ["b", "a"]
