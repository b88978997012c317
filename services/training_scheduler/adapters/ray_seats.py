"""Actors that attempts sit in, one at a time, and the notes of which sits where.

A process of Ray's takes a second to start, and the imports of a step as long again or longer. So one whose attempt
succeeded takes another attempt of the same code, if one comes soon. The notes lie with the cluster's head, beside the
actors' names: a driver that comes after finds both.
"""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError

# An actor can't be given another name: the head's own store has room for notes.
from ray.experimental.internal_kv import _internal_kv_del as drop_note
from ray.experimental.internal_kv import _internal_kv_get as note_of
from ray.experimental.internal_kv import _internal_kv_list as noted_under
from ray.experimental.internal_kv import _internal_kv_put as put_note

from services.training_scheduler.adapters.ray_actor import Seat

_ASKERS = 16
# What a process is for good: what it imported, from where, and the settings that it did so under.
_LASTING = ("module", "workflow", "code_digest", "import_folders", "folder", "environment")
_LEAVE_S = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class _Free:
    """An actor that nobody sits in, and the kind of attempts that it can take."""

    kind: str
    name: str


class Seats:
    """The actors of a namespace. One that is free for ``spare_s`` is ended, for it keeps its CPUs from others."""

    def __init__(self, namespace: str, spare_s: float) -> None:
        self._namespace = f"slipway-attempts-{namespace}".encode()
        self._spare_s = spare_s
        self._turn = threading.Lock()
        self._kinds: dict[str, str] = {}  # of attempts that this driver seated
        self._free: list[_Free] = []

    def sit(self, attempt: str, cpus: float, order: Mapping[str, Any]) -> Any:
        """The actor that the attempt sits in, from before or from now on. Raises RayActorError."""
        with self._turn:
            if (name := self._noted(attempt)) is None:
                kind = json.dumps([cpus, *(order[one] for one in _LASTING)], sort_keys=True)
                name = self._take(kind) or f"seat-{uuid.uuid4().hex}"
                self._kinds[attempt] = kind
                # Before it sits: who comes after this process looks here.
                put_note(attempt, name, namespace=self._namespace)
        made: Any = ray.remote(Seat)
        actor = made.options(
            name=name,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=_ASKERS,
            num_cpus=cpus,
        ).remote()
        ray.get(actor.take.remote(attempt, order))
        if self._noted(attempt) != name:  # it was cancelled meanwhile, when there was no actor to end
            _end(name)
        return actor

    def has(self, attempt: str) -> bool:
        """Whether the attempt's actor lives."""
        name = self._noted(attempt)
        return name is not None and _actor(name) is not None

    def attempts(self) -> list[str]:
        """All that sit somewhere. Actors that nobody sits in are ended: the driver that had them free is gone."""
        with self._turn:
            found = self._starting_with("")
            known = {self._noted(one) for one in found} | {one.name for one in self._free}
            for name in ray.util.list_named_actors(all_namespaces=False):
                if name not in known:
                    _end(str(name))
        return found

    def leave(self, attempt: str, *, well: bool) -> None:
        """End the actor of an attempt, or of all whose names go on from it after a dot.

        When all went ``well`` with it, its actor is kept for another instead.
        """
        with self._turn:
            for one in self._starting_with(attempt):
                if one == attempt or one.startswith(f"{attempt}."):
                    self._leave(one, well=well)

    def _leave(self, attempt: str, *, well: bool) -> None:
        name, kind = self._noted(attempt), self._kinds.pop(attempt, None)
        drop_note(attempt, namespace=self._namespace)
        if name is None:
            return
        if not (well and kind and _left(name, attempt)):
            _end(name)
            return
        self._free.append(free := _Free(kind, name))
        timer = threading.Timer(self._spare_s, self._give_up, args=(free,))
        timer.daemon = True
        timer.start()

    def _take(self, kind: str) -> str | None:
        """A free actor of the kind; without one, the others make room."""
        for one in [*self._free]:
            if one.kind == kind:
                self._free.remove(one)
                if _actor(one.name) is not None:
                    return one.name
        for one in self._free:
            _end(one.name)
        self._free.clear()
        return None

    def _give_up(self, free: _Free) -> None:
        with self._turn:
            if free in self._free:
                self._free.remove(free)
                _end(free.name)

    def _noted(self, attempt: str) -> str | None:
        found = note_of(attempt, namespace=self._namespace)
        return found.decode() if found else None

    def _starting_with(self, prefix: str) -> list[str]:
        return [one.decode() for one in noted_under(prefix, namespace=self._namespace)]


def _actor(name: str) -> Any | None:
    try:
        return ray.get_actor(name)
    except ValueError:
        return None


def _left(name: str, attempt: str) -> bool:
    actor = _actor(name)
    try:
        return actor is not None and bool(ray.get(actor.leave.remote(attempt), timeout=_LEAVE_S))
    except (RayActorError, GetTimeoutError):
        return False


def _end(name: str) -> None:
    with contextlib.suppress(ValueError):
        ray.kill(ray.get_actor(name), no_restart=True)
