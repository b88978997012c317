"""The last desired state as a JSON file."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from services.inference_gateway.adapters.worker_frames import signature_of
from services.inference_gateway.domain.default_answer import DefaultAnswer
from services.inference_gateway.domain.desired import Desired, Endpoint, Limits, Route, VersionKey, VersionSpec
from slipway.durable import replace_file
from slipway.errors import Unavailable
from slipway.failpoints import hit

log = logging.getLogger(__name__)

_FORMAT = 1


class SnapshotNotKept(Unavailable):
    """The disk did not take the snapshot; the cause is chained for the log."""

    reason = "SNAPSHOT_NOT_KEPT"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} can't be written; see to its folder, its permissions and its disk")


class SnapshotFile:
    """See :class:`services.inference_gateway.ports.Snapshots`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> Desired | None:
        """See Snapshots."""
        return await asyncio.to_thread(self._load)

    async def store(self, desired: Desired) -> None:
        """See Snapshots."""
        try:
            await asyncio.to_thread(self._store, desired)
        except OSError as error:
            raise SnapshotNotKept(str(self._path)) from error

    def _load(self) -> Desired | None:
        try:
            facts = json.loads(self._path.read_bytes())
            return _decode(facts) if facts["format"] == _FORMAT else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            # The registry will say it all again; until then this gateway starts as a new one does.
            log.exception("the last snapshot is not usable", extra={"path": str(self._path)})
            return None

    def _store(self, desired: Desired) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        hit("snapshot.store.before")
        replace_file(self._path, json.dumps(_encode(desired)).encode())
        hit("snapshot.store.after")


def _encode(desired: Desired) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "revision": desired.revision,
        "endpoints": [asdict(endpoint) for endpoint in desired.endpoints.values()],
        "versions": [asdict(spec) for spec in desired.versions.values()],
    }


def _decode(facts: dict[str, Any]) -> Desired:
    endpoints = [_endpoint(one) for one in facts["endpoints"]]
    versions = [
        VersionSpec(VersionKey(**one["key"]), one["digest"], signature_of(one["signature"]))
        for one in facts["versions"]
    ]
    return Desired(
        facts["revision"],
        {endpoint.name: endpoint for endpoint in endpoints},
        {spec.key: spec for spec in versions},
    )


def _endpoint(one: dict[str, Any]) -> Endpoint:
    """An endpoint, also of a file from before there was all of it, or from when there was more."""
    name, routes = one["name"], tuple(_route(arm) for arm in one["routes"])
    limits = Limits(**_known(Limits, one.get("limits", {})))
    return Endpoint(name, routes, one["revision"], limits, _fallback(one.get("fallback")))


def _route(arm: dict[str, Any]) -> Route:
    told = _known(Route, arm)
    return Route(**told | {"version": VersionKey(**arm["version"]), "sticky_by": tuple(told.get("sticky_by", ()))})


def _known(kind: type[Route | Limits | DefaultAnswer], stored: dict[str, Any]) -> dict[str, Any]:
    return {field.name: stored[field.name] for field in fields(kind) if field.name in stored}


def _fallback(stored: dict[str, Any] | None) -> VersionKey | DefaultAnswer | None:
    if stored is None:
        return None
    if "outputs" not in stored:
        return VersionKey(**stored)
    told = _known(DefaultAnswer, stored)
    return DefaultAnswer(**told | {"outputs": {name: tuple(elements) for name, elements in told["outputs"].items()}})
