from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import Definition, Fallback, Feature, FeatureView, ValueType
from services.feature_serving.ports.catalogue import Catalogue
from slipway.paging import Page

NOW = datetime(2013, 1, 1, 5, 15, 0, 250, tzinfo=UTC)
EVERY_TYPE = tuple(Feature(f"f_{kind.lower()}", kind, f"A {kind}.") for kind in reversed(ValueType))
PLANES = FeatureView(
    Definition("planes", "fleet", "Größe", ("tailnum", "carrier"), EVERY_TYPE, timedelta(days=7, microseconds=1)),
    1,
    NOW,
)


def named(name: str) -> FeatureView:
    return replace(PLANES, definition=replace(PLANES.definition, name=name))


async def put(catalogue: Catalogue, *views: FeatureView) -> None:
    async with catalogue.write() as writer:
        for view in views:
            await writer.put(view)


async def read(catalogue: Catalogue, *names: str) -> dict[str, FeatureView]:
    async with catalogue.read() as reader:
        return dict(await reader.named(names))


async def test_a_view_is_given_back_as_it_was_put(catalogue: Catalogue) -> None:
    ageless = replace(named("b"), definition=replace(PLANES.definition, name="b", max_age=None))
    await put(catalogue, PLANES, ageless)
    assert await read(catalogue, "planes", "b", "missing") == {"planes": PLANES, "b": ageless}


async def test_fallbacks_of_every_type_are_given_back(catalogue: Catalogue) -> None:
    values = [True, -(2**31), 2**63 - 1, 0.5, 1e300, "Größe \0", -1_000_000]
    kinds = [
        ValueType.BOOL,
        ValueType.INT32,
        ValueType.INT64,
        ValueType.FLOAT,
        ValueType.DOUBLE,
        ValueType.STRING,
        ValueType.TIMESTAMP,
    ]
    features = tuple(
        Feature(f"f_{kind.lower()}", kind, fallback=Fallback(value, frozenset(list(Status)[1 : 2 + n % 3])))
        for n, (kind, value) in enumerate(zip(kinds, values, strict=True))
    )
    view = replace(PLANES, definition=replace(PLANES.definition, features=features))
    await put(catalogue, view)
    found = (await read(catalogue, "planes"))["planes"]
    assert found == view
    given = [one.fallback.value for one in found.definition.features if one.fallback is not None]
    assert [type(one) for one in given] == [type(one) for one in values]


async def test_a_view_takes_the_place_of_the_one_of_its_name(catalogue: Catalogue) -> None:
    await put(catalogue, PLANES)
    fewer = FeatureView(replace(PLANES.definition, features=EVERY_TYPE[2:4]), 2, NOW + timedelta(days=1))
    await put(catalogue, fewer)
    assert await read(catalogue, "planes") == {"planes": fewer}


async def test_a_transaction_that_fails_leaves_nothing(catalogue: Catalogue) -> None:
    async def fail() -> None:
        async with catalogue.write() as writer:
            await writer.put(PLANES)
            assert set(await writer.named(["planes"])) == {"planes"}
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await fail()
    assert await read(catalogue, "planes") == {}


async def test_pages_are_by_name_after_the_last_one(catalogue: Catalogue) -> None:
    await put(catalogue, *(named(name) for name in ("c", "a", "d", "b")))
    async with catalogue.read() as reader:
        assert [view.name for view in await reader.views(Page(2, None))] == ["a", "b", "c"]
        assert [view.name for view in await reader.views(Page(2, ("b",)))] == ["c", "d"]
        assert await reader.views(Page(2, ("d",))) == []
