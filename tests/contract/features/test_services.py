from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.feature_serving.domain.service import FeatureService, Reference, ServiceDefinition
from services.feature_serving.ports.catalogue import Catalogue
from slipway.paging import Page

NOW = datetime(2013, 1, 1, 5, 15, 0, 250, tzinfo=UTC)
FEATURES = (Reference("planes", "seats"), Reference("carriers", "delay"), Reference("planes", "age"))
LATE = FeatureService(ServiceDefinition("late", "fleet", "Größe", FEATURES), 1, NOW)


def named(name: str) -> FeatureService:
    return replace(LATE, definition=replace(LATE.definition, name=name))


async def put(catalogue: Catalogue, *services: FeatureService) -> None:
    async with catalogue.write() as writer:
        for service in services:
            await writer.put_service(service)


async def test_a_feature_service_is_given_back_as_it_was_put(catalogue: Catalogue) -> None:
    await put(catalogue, LATE, named("b"))
    async with catalogue.read() as reader:
        assert await reader.services_named(["late", "b", "missing"]) == {"late": LATE, "b": named("b")}


async def test_it_takes_the_place_of_the_one_of_its_name(catalogue: Catalogue) -> None:
    await put(catalogue, LATE)
    fewer = FeatureService(replace(LATE.definition, features=FEATURES[1:2]), 2, NOW + timedelta(days=1))
    await put(catalogue, fewer)
    async with catalogue.read() as reader:
        assert await reader.services_named(["late"]) == {"late": fewer}
        assert await reader.users(["planes"]) == {}


async def test_pages_are_by_name_after_the_last_one(catalogue: Catalogue) -> None:
    await put(catalogue, *(named(name) for name in ("c", "a", "d", "b")))
    async with catalogue.read() as reader:
        assert [one.name for one in await reader.services(Page(2, None))] == ["a", "b", "c"]
        assert [one.name for one in await reader.services(Page(2, ("b",)))] == ["c", "d"]


async def test_a_features_users_are_told_by_the_first_name(catalogue: Catalogue) -> None:
    await put(
        catalogue, named("b"), replace(LATE, definition=replace(LATE.definition, name="a", features=FEATURES[:1]))
    )
    async with catalogue.read() as reader:
        assert await reader.users(["planes"]) == {FEATURES[0]: "a", FEATURES[2]: "b"}
        assert await reader.users([]) == {}
