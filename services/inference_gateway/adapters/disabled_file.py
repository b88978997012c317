"""The arms that this gateway took to zero, as a JSON file."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.domain.guardrail import Disabled
from slipway.durable import replace_file
from slipway.errors import Unavailable
from slipway.failpoints import hit

log = logging.getLogger(__name__)

_FORMAT = 1


class DisabledNotKept(Unavailable):
    """The disk did not take the list; the cause is chained for the log."""

    reason = "DISABLED_NOT_KEPT"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} can't be written; see to its folder, its permissions and its disk")


class DisabledFile:
    """See :class:`services.inference_gateway.ports.DisabledArms`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> Sequence[tuple[Disabled, bool]]:
        """See DisabledArms."""
        return await asyncio.to_thread(self._load)

    async def store(self, disabled: Sequence[tuple[Disabled, bool]]) -> None:
        """See DisabledArms."""
        facts = {"format": _FORMAT, "disabled": [_encode(one, announced) for one, announced in disabled]}
        try:
            await asyncio.to_thread(self._store, json.dumps(facts).encode())
        except OSError as error:
            raise DisabledNotKept(str(self._path)) from error

    def _load(self) -> Sequence[tuple[Disabled, bool]]:
        try:
            facts = json.loads(self._path.read_bytes())
            return [_decode(one) for one in facts["disabled"]] if facts["format"] == _FORMAT else []
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError):
            # An arm that still fails will be disabled again, and told.
            log.exception("the list of disabled arms is not usable", extra={"path": str(self._path)})
            return []

    def _store(self, data: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        hit("disabled.store.before")
        replace_file(self._path, data)
        hit("disabled.store.after")


def _encode(one: Disabled, announced: bool) -> dict[str, Any]:
    return {**asdict(one), "time": one.time.isoformat(), "announced": announced}


def _decode(facts: dict[str, Any]) -> tuple[Disabled, bool]:
    one = Disabled(
        facts["endpoint"],
        facts["route"],
        VersionKey(**facts["version"]),
        facts["revision"],
        facts["reason"],
        datetime.fromisoformat(facts["time"]),
    )
    return one, facts["announced"]
