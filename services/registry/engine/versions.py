"""Registering, finding and listing versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate

from services.registry.domain.changes import VersionCreated
from services.registry.domain.errors import (
    AliasNotFound,
    ModelNotFound,
    RequestReused,
    VersionNotFound,
    VersionTooLarge,
)
from services.registry.domain.model import Draft, ModelVersion
from services.registry.domain.rules import check_draft, fingerprint
from services.registry.engine.uploads import measured
from services.registry.ports import Catalogue, Reader, Writer
from slipway import paging
from slipway.artifacts import ArtifactStore
from slipway.clock import Clock
from slipway.errors import invalid_field
from slipway.events import EventTooLarge
from slipway.naming import request_id as check_request_id
from slipway.naming import resource_name

# Versions with baselines are large, and clients take 4 MiB by default.
PAGE_BYTES = 3 * 1024 * 1024
_PIECE = 8


class Versions:
    """Versions by model and number."""

    def __init__(self, catalogue: Catalogue, artifacts: ArtifactStore, clock: Clock) -> None:
        self._catalogue = catalogue
        self._artifacts = artifacts
        self._clock = clock

    async def register(self, draft: Draft, request_id: str) -> ModelVersion:
        """Store a version under the next number; a repeated request gives the stored one.

        Raises InvalidInput, VersionTooLarge, ModelNotFound, ArtifactMissing, CorruptArtifact, RequestReused.
        """
        check_request_id("request_id", request_id)
        check_draft(draft)
        draft = replace(draft, artifact=await measured(self._artifacts, draft.artifact))
        mark = fingerprint(draft)
        async with self._catalogue.write() as catalogue:
            if stored := await catalogue.registration(request_id):
                version, stored_mark = stored
                if stored_mark != mark:
                    raise RequestReused(request_id)
                return version
            if await catalogue.model(draft.model) is None:
                raise ModelNotFound(draft.model)
            now = self._clock.now()
            version = await catalogue.add_version(draft, request_id, mark, now)
            await _announce(catalogue, version, now)
        return version

    async def get(self, model: str, number: int, alias: str) -> ModelVersion:
        """Find a version by number, or by alias when one is given. Raises VersionNotFound, AliasNotFound."""
        resource_name("model", model)
        if not alias and number < 1:
            raise invalid_field("selector", "is missing; give a number from 1 on, or an alias")
        async with self._catalogue.read() as catalogue:
            if alias:
                pointer = await catalogue.alias(model, resource_name("alias", alias))
                if pointer is None:
                    raise AliasNotFound(model, alias)
                number = pointer.version
            version = await catalogue.version(model, number)
        if version is None:
            raise VersionNotFound(model, number)
        return version

    async def list(self, model: str, size: int, token: str) -> paging.Slice[ModelVersion]:
        """A page of a model's versions, newest first. Raises ModelNotFound."""
        resource_name("model", model)
        page = paging.parse(size, token, (int,))
        async with self._catalogue.read() as catalogue:
            if await catalogue.model(model) is None:
                raise ModelNotFound(model)
            rows = await _read(catalogue, model, page)
        return paging.cut(rows, replace(page, size=min(page.size, _fitting(rows))), lambda version: (version.number,))


async def _read(catalogue: Reader, model: str, page: paging.Page) -> list[ModelVersion]:
    """Up to ``page.fetch`` versions; no more than a piece beyond what a page can carry."""
    rows: list[ModelVersion] = []
    while len(rows) < page.fetch and (not rows or _fitting(rows) == len(rows)):
        wanted = min(_PIECE, page.fetch - len(rows))
        piece = await catalogue.versions(model, paging.Page(wanted - 1, (rows[-1].number,) if rows else page.after))
        rows += piece
        if len(piece) < wanted:
            break
    return rows


def _fitting(rows: Sequence[ModelVersion]) -> int:
    """How many of ``rows``, from the first on and one at least, a page can carry."""
    held = accumulate(version.draft.carried_bytes for version in rows)
    return max(1, sum(1 for size in held if size <= PAGE_BYTES))


async def _announce(catalogue: Writer, version: ModelVersion, now: datetime) -> None:
    try:
        await catalogue.announce(VersionCreated(version), now)
    except EventTooLarge as error:
        raise VersionTooLarge(int(error.facts["size_bytes"]), int(error.facts["limit_bytes"])) from None
