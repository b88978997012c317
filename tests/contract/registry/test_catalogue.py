"""What every catalogue promises."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.registry.codec import encode_change
from services.registry.domain.changes import AliasMoved, EndpointDeleted
from services.registry.domain.endpoint import EndpointSpec, Route, Target
from services.registry.domain.model import (
    Alias,
    Artifact,
    CodeReference,
    ColumnSpec,
    DataReference,
    DataType,
    Draft,
    Lineage,
    Model,
    ModelVersion,
    Signature,
    TensorSpec,
)
from services.registry.domain.revision import Cause, Why
from services.registry.ports import Catalogue
from slipway.paging import Page

NOW = datetime(2013, 1, 1, 5, 15, 0, 250_000, tzinfo=UTC)
WHY = Why(Cause.PUT)


def draft(model: str = "m", **metrics: float) -> Draft:
    return Draft(
        model=model,
        artifact=Artifact("sha256:" + "a" * 64, 2**40),
        signature=Signature(
            (
                ColumnSpec("distance", DataType.FP32, nullable=True, description="miles"),
                ColumnSpec("path", DataType.FP64, shape=(3, 2)),
            ),
            (TensorSpec("late", DataType.FP32, (-1, 1)),),
        ),
        metrics=metrics,
        params={"leaves": "31", "é": "ü"},
        lineage=Lineage(DataReference("sha256:d", "flights", 2**62), CodeReference("c", "r", "w"), "run"),
    )


def route(name: str = "main", *, version: int = 0, alias: str = "", resolved: int = 1, model: str = "m") -> Route:
    return Route(name, Target(model, version, alias), 100, resolved)


async def seed(catalogue: Catalogue, *models: str, versions: int = 1) -> None:
    async with catalogue.write() as writer:
        for model in models:
            await writer.add_model(Model(model, "dock", "", NOW))
            for number in range(versions):
                await writer.add_version(draft(model), f"{model}-{number}", "mark", NOW)


async def test_what_was_written_is_read_back_equal(subject: Any) -> None:
    model = Model("m", "dock", "of flights", NOW)
    async with subject.catalogue.write() as writer:
        await writer.add_model(model)
        version = await writer.add_version(draft(auc=0.1 + 0.2), "r1", "mark", NOW)
        assert await writer.version("m", 1) == version
    async with subject.catalogue.read() as reader:
        assert version == ModelVersion(1, draft(auc=0.1 + 0.2), NOW)
        assert await reader.version("m", 1) == version
        assert await reader.registration("r1") == (version, "mark")
        assert await reader.model("m") == Model("m", "dock", "of flights", NOW, latest_version=1)


async def test_nothing_is_found_where_nothing_is(subject: Any) -> None:
    async with subject.catalogue.read() as reader:
        assert await reader.model("m") is None
        assert await reader.version("m", 1) is None
        assert await reader.registration("r") is None
        assert await reader.alias("m", "a") is None
        assert await reader.endpoint("e") is None
        assert await reader.endpoints_since(0) == ([], [])
        assert await reader.revision() == 0
        assert list(await reader.models(Page(10, None))) == []
        assert list(await reader.versions("m", Page(10, None))) == []
        assert list(await reader.endpoints(Page(10, None))) == []


async def test_a_transaction_that_fails_leaves_nothing(subject: Any) -> None:
    await seed(subject.catalogue, "m", versions=2)

    async def fail() -> None:
        async with subject.catalogue.write() as writer:
            await writer.add_model(Model("n", "dock", "", NOW))
            await writer.add_version(draft(), "r", "mark", NOW)
            await writer.put_alias(Alias("m", "champion", 2, NOW))
            await writer.put_endpoint("e", EndpointSpec((route(version=1),)), WHY, NOW)
            await writer.announce(EndpointDeleted("e"), NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with subject.catalogue.read() as reader:
        assert await reader.model("n") is None
        assert (await reader.model("m")).latest_version == 2
        assert await reader.registration("r") is None
        assert await reader.alias("m", "champion") is None
        assert await reader.endpoint("e") is None
        assert await reader.revision() == 0
    assert await subject.announced() == []
    async with subject.catalogue.write() as writer:
        assert (await writer.add_version(draft(), "r", "mark", NOW)).number == 3


async def test_a_cancelled_transaction_leaves_nothing_and_gives_up_its_turn(subject: Any) -> None:
    inside = asyncio.Event()

    async def stuck() -> None:
        async with subject.catalogue.write() as writer:
            await writer.add_model(Model("n", "dock", "", NOW))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await seed(subject.catalogue, "m")
    async with subject.catalogue.read() as reader:
        assert [model.name for model in await reader.models(Page(9, None))] == ["m"]


async def test_a_reader_keeps_its_snapshot_while_others_write(subject: Any) -> None:
    await seed(subject.catalogue, "m")
    async with subject.catalogue.read() as reader:
        assert (await reader.model("m")).latest_version == 1
        async with subject.catalogue.write() as writer:
            await writer.add_version(draft(), "later", "mark", NOW)
            await writer.put_endpoint("e", EndpointSpec((route(version=1),)), WHY, NOW)
        assert (await reader.model("m")).latest_version == 1
        assert await reader.version("m", 2) is None
        assert await reader.revision() == 0


async def test_what_is_announced_comes_out_in_order_of_commit(subject: Any) -> None:
    changes = [AliasMoved("m", "a", n, n + 1) for n in range(5)]
    for change in changes:
        async with subject.catalogue.write() as writer:
            await writer.announce(change, NOW)
    assert await subject.announced() == [encode_change(change)[3] for change in changes]


async def test_pages_follow_the_sort_key(subject: Any) -> None:
    await seed(subject.catalogue, "c", "a", "b")
    await seed(subject.catalogue, "m", versions=4)
    async with subject.catalogue.write() as writer:
        for name in ("z", "x", "y"):
            await writer.put_endpoint(name, EndpointSpec((route(version=1),)), WHY, NOW)
    async with subject.catalogue.read() as reader:
        assert [one.name for one in await reader.models(Page(1, None))] == ["a", "b"]
        assert [one.name for one in await reader.models(Page(1, ("b",)))] == ["c", "m"]
        assert [one.name for one in await reader.models(Page(9, ("m",)))] == []
        assert [one.number for one in await reader.versions("m", Page(2, None))] == [4, 3, 2]
        assert [one.number for one in await reader.versions("m", Page(2, (3,)))] == [2, 1]
        assert [one.name for one in await reader.endpoints(Page(1, None))] == ["x", "y"]
        page = await reader.endpoints(Page(1, ("x",)))
        assert [(one.name, one.routes) for one in page] == [("y", (route(version=1),)), ("z", (route(version=1),))]


async def test_an_alias_is_set_moved_and_removed(subject: Any) -> None:
    await seed(subject.catalogue, "m", "other", versions=2)
    async with subject.catalogue.write() as writer:
        await writer.put_alias(Alias("m", "challenger", 1, NOW))
        await writer.put_alias(Alias("m", "champion", 1, NOW))
        await writer.put_alias(Alias("m", "champion", 2, NOW + timedelta(seconds=1)))
    async with subject.catalogue.read() as reader:
        moved = Alias("m", "champion", 2, NOW + timedelta(seconds=1))
        assert await reader.alias("m", "champion") == moved
        assert (await reader.model("m")).aliases == (Alias("m", "challenger", 1, NOW), moved)
        assert await reader.alias("other", "champion") is None
    async with subject.catalogue.write() as writer:
        await writer.delete_alias("m", "champion")
    async with subject.catalogue.read() as reader:
        assert await reader.alias("m", "champion") is None
        assert len((await reader.model("m")).aliases) == 1


async def test_endpoints_that_follow_an_alias_are_found_by_it(subject: Any) -> None:
    await seed(subject.catalogue, "m", "n")
    async with subject.catalogue.write() as writer:
        await writer.put_endpoint(
            "b",
            EndpointSpec(
                (
                    route("fixed", version=1),
                    route("f", alias="champion"),
                )
            ),
            WHY,
            NOW,
        )
        await writer.put_endpoint("a", EndpointSpec((route(alias="champion"),)), WHY, NOW)
        await writer.put_endpoint("pinned", EndpointSpec((route(version=1),)), WHY, NOW)
        await writer.put_endpoint("foreign", EndpointSpec((route(alias="champion", model="n"),)), WHY, NOW)
        await writer.put_endpoint("left", EndpointSpec((route(alias="champion"),)), WHY, NOW)
        await writer.put_endpoint("left", EndpointSpec((route(version=1),)), WHY, NOW)
        await writer.put_endpoint("gone", EndpointSpec((route(alias="champion"),)), WHY, NOW)
        await writer.delete_endpoint("gone", WHY, NOW)
    async with subject.catalogue.read() as reader:
        assert [one.name for one in await reader.endpoints_following("m", "champion")] == ["a", "b"]
        assert [one.name for one in await reader.endpoints_following("n", "champion")] == ["foreign"]
        assert list(await reader.endpoints_following("m", "nobody")) == []


async def test_revisions_count_every_change_and_tombstones_tell_of_the_deleted(subject: Any) -> None:
    await seed(subject.catalogue, "m")
    for name in ("a", "b", "c"):
        async with subject.catalogue.write() as writer:
            await writer.put_endpoint(name, EndpointSpec((route(version=1),)), WHY, NOW)
    async with subject.catalogue.write() as writer:
        await writer.put_endpoint("a", EndpointSpec((route("renamed", version=1),)), WHY, NOW)
        await writer.delete_endpoint("b", WHY, NOW)
    async with subject.catalogue.read() as reader:
        alive, gone = await reader.endpoints_since(0)
        assert ([(one.name, one.revision) for one in alive], list(gone)) == ([("c", 3), ("a", 4)], ["b"])
        assert alive[1].routes == (route("renamed", version=1),)
        alive, gone = await reader.endpoints_since(4)
        assert (list(alive), list(gone)) == ([], ["b"])
        assert await reader.endpoints_since(5) == ([], [])
        assert await reader.revision() == 5
        assert await reader.endpoint("b") is None
    async with subject.catalogue.write() as writer:
        assert (await writer.put_endpoint("b", EndpointSpec((route(version=1),)), WHY, NOW)).revision == 6
    async with subject.catalogue.read() as reader:
        alive, gone = await reader.endpoints_since(4)
        assert ([one.name for one in alive], list(gone)) == (["b"], [])


async def test_writers_at_once_get_numbers_and_revisions_without_gap_or_double(subject: Any) -> None:
    await seed(subject.catalogue, "m", versions=1)

    async def write(turn: int) -> tuple[int, int]:
        async with subject.catalogue.write() as writer:
            version = await writer.add_version(draft(), f"r{turn}", "mark", NOW)
            endpoint = await writer.put_endpoint(f"e{turn % 3}", EndpointSpec((route(version=1),)), WHY, NOW)
            return version.number, endpoint.revision

    given = sorted(await asyncio.gather(*(write(turn) for turn in range(30))))
    assert given == [(turn + 2, turn + 1) for turn in range(30)]


async def test_a_number_that_no_version_has_is_not_there(subject: Any) -> None:
    async with subject.catalogue.read() as reader:
        for number in (0, 2**31, 2**32 - 1):
            assert await reader.version("m", number) is None
