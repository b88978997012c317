"""Asking for training sets, finding them and giving them out."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from services.feature_serving.domain.errors import FeatureServiceNotFound
from services.feature_serving.domain.ingredients import ingredient
from services.feature_serving.domain.recipe import Ingredient, Recipe, mark
from services.feature_serving.domain.service import FeatureService, resolve
from services.feature_serving.domain.training_errors import (
    RequestReused,
    SourceOutside,
    SpineNotFound,
    TrainingSetNotFound,
    TrainingSetNotReady,
)
from services.feature_serving.domain.training_set import Question, TrainingSet
from services.feature_serving.domain.view import FeatureView
from services.feature_serving.ports.catalogue import Catalogue
from services.feature_serving.ports.training_sets import Sources, TrainingSets
from slipway import paging
from slipway.artifacts import ArtifactStore, check_digest
from slipway.clock import Clock
from slipway.naming import identifier
from slipway.naming import request_id as check_request_id


class Sets:
    """Training sets by id; ``accepted`` is told after each new one."""

    def __init__(
        self,
        *,
        sets: TrainingSets,
        catalogue: Catalogue,
        sources: Sources,
        artifacts: ArtifactStore,
        clock: Clock,
        code: str,
        accepted: Callable[[], None],
    ) -> None:
        self._sets = sets
        self._catalogue = catalogue
        self._sources = sources
        self._artifacts = artifacts
        self._clock = clock
        self._code = code
        self._accepted = accepted

    async def create(self, question: Question, request_id: str) -> TrainingSet:
        """The set that answers the question: the one that is there, or a new one that is being made.

        A set that failed is no answer: the same question later makes another. Raises InvalidInput, SpineNotFound,
        FeatureServiceNotFound, ViewWithoutSource, SourceOutside, RequestReused.
        """
        check_request_id("request_id", request_id)
        check_digest("spine_digest", question.spine_digest)
        identifier("feature_service", question.feature_service)
        async with self._sets.read() as sets:
            if found := await sets.asked(request_id):
                return _same(found, request_id, question)
        recipe = await self._recipe(question)
        async with self._sets.write() as sets:
            if found := await sets.asked(request_id):
                return _same(found, request_id, question)
            made = await sets.made_by(mark(recipe))
            if made is None:
                made = TrainingSet(f"ts-{secrets.token_hex(8)}", recipe, self._clock.now())
                await sets.add(made)
            await sets.remember(request_id, question.fingerprint, made.id)
        self._accepted()
        return made

    async def _recipe(self, question: Question) -> Recipe:
        if not await self._artifacts.has(question.spine_digest):
            raise SpineNotFound(question.spine_digest)
        service, views = await self._definitions(question.feature_service)
        wanted: dict[str, list[str]] = {}
        for one in service.definition.features:
            wanted.setdefault(one.view, []).append(one.feature)
        ingredients = [ingredient(views[name], features) for name, features in wanted.items()]
        return Recipe(
            spine_digest=question.spine_digest,
            feature_service=service.name,
            feature_service_revision=service.revision,
            features=tuple(str(one) for one in service.definition.features),
            ingredients=await self._digested(ingredients),
            cutoff_us=question.cutoff_us,
            code=self._code,
        )

    async def _definitions(self, name: str) -> tuple[FeatureService, Mapping[str, FeatureView]]:
        async with self._catalogue.read() as catalogue:
            services = await catalogue.services_named([name])
            if name not in services:
                raise FeatureServiceNotFound(name, "feature_service")
            features = services[name].definition.features
            views = await catalogue.named(sorted({one.view for one in features}))
        resolve("feature_service.features", features, views)
        return services[name], views

    async def _digested(self, ingredients: Sequence[Ingredient]) -> tuple[Ingredient, ...]:
        digests: dict[str, str] = {}
        for one in ingredients:
            if one.path not in digests:
                digest = await self._sources.digest(one.path)
                if digest is None:
                    raise SourceOutside(one.view, one.path)
                digests[one.path] = digest
        return tuple(one.of(digests[one.path]) for one in ingredients)

    async def get(self, set_id: str) -> TrainingSet:
        """Find one set. Raises TrainingSetNotFound."""
        async with self._sets.read() as sets:
            found = await sets.get(set_id)
        if found is None:
            raise TrainingSetNotFound(set_id)
        return found

    async def list(self, size: int, token: str) -> paging.Slice[TrainingSet]:
        """A page of them, newest first."""
        page = paging.parse(size, token, (int,))
        async with self._sets.read() as sets:
            rows = await sets.page(page)
        found = paging.cut(rows, page, lambda row: (row[0],))
        return paging.Slice([one for _, one in found.rows], found.next_token)

    async def chunks(self, set_id: str) -> AsyncIterator[bytes]:
        """A ready set's bytes, verified as they stream. Raises TrainingSetNotFound, TrainingSetNotReady."""
        found = await self.get(set_id)
        if found.contents is None:
            raise TrainingSetNotReady(found.id, found.state, found.error)
        async for chunk in self._artifacts.chunks(found.contents.digest):
            yield chunk


def _same(found: tuple[TrainingSet, str], request_id: str, question: Question) -> TrainingSet:
    stored, fingerprint = found
    if fingerprint != question.fingerprint:
        raise RequestReused(request_id)
    return stored
