from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from services.registry.adapters.memory import MemoryCatalogue
from services.registry.domain.endpoint import EndpointSpec, Route, Target
from services.registry.domain.model import Artifact, Draft, Lineage, Model, Signature
from services.registry.domain.revision import Cause, Why
from services.registry.engine.watch import Watch

NOW = datetime(2013, 1, 1, tzinfo=UTC)
WHY = Why(Cause.PUT)
NEVER_S = 3600.0


async def seeded(versions: int = 2) -> MemoryCatalogue:
    catalogue = MemoryCatalogue()
    draft = Draft("m", Artifact("sha256:" + "a" * 64, 1), Signature((), ()), {}, {}, Lineage())
    async with catalogue.write() as writer:
        await writer.add_model(Model("m", "dock", "", NOW))
        for number in range(versions):
            await writer.add_version(draft, f"r{number}", "", NOW)
    return catalogue


async def put(catalogue: MemoryCatalogue, name: str, resolved: int = 1) -> None:
    async with catalogue.write() as writer:
        await writer.put_endpoint(name, EndpointSpec((Route("main", Target("m", resolved), 1, resolved),)), WHY, NOW)


async def test_changes_between_two_looks_come_as_one_step() -> None:
    catalogue = await seeded()
    watch = Watch(catalogue, NEVER_S)
    async with aclosing(watch.follow()) as states:
        assert (await anext(states)).snapshot
        for turn in range(10):
            await put(catalogue, "late", 1 + turn % 2)
            watch.wake()
        state = await anext(states)
        assert (state.revision, [one.revision for one in state.endpoints]) == (10, [10])
        assert [version.number for version in state.versions] == [2]


async def test_a_change_during_the_look_is_not_missed() -> None:
    catalogue = await seeded()
    watch = Watch(catalogue, NEVER_S)
    async with aclosing(watch.follow()) as states:
        await anext(states)
        for turn in range(50):
            waiting = asyncio.ensure_future(anext(states))
            for _ in range(turn % 5):
                await asyncio.sleep(0)
            await put(catalogue, "late")
            watch.wake()
            state = await asyncio.wait_for(waiting, 30)
            assert state.revision == turn + 1


async def test_a_commit_by_another_process_is_seen_by_looking_again() -> None:
    catalogue = await seeded()
    async with aclosing(Watch(catalogue, 0.001).follow()) as states:
        await anext(states)
        await put(catalogue, "late")
        assert [one.name for one in (await anext(states)).endpoints] == ["late"]


async def test_every_watcher_is_woken() -> None:
    catalogue = await seeded()
    watch = Watch(catalogue, NEVER_S)
    followers = [watch.follow() for _ in range(20)]
    for follower in followers:
        await anext(follower)
    waiting = [asyncio.ensure_future(anext(follower)) for follower in followers]
    for _ in range(3):
        await asyncio.sleep(0)
    await put(catalogue, "late")
    watch.wake()
    assert {state.revision for state in await asyncio.wait_for(asyncio.gather(*waiting), 30)} == {1}
    for follower in followers:
        await follower.aclose()


async def test_a_deleted_endpoint_is_in_no_snapshot_but_in_the_next_step() -> None:
    catalogue = await seeded()
    await put(catalogue, "a")
    watch = Watch(catalogue, NEVER_S)
    async with aclosing(watch.follow()) as states:
        await anext(states)
        async with catalogue.write() as writer:
            await writer.delete_endpoint("a", WHY, NOW)
        watch.wake()
        assert list((await anext(states)).deleted) == ["a"]
    async with aclosing(watch.follow()) as states:
        first = await anext(states)
        assert (first.revision, first.endpoints, first.deleted) == (2, [], ())
