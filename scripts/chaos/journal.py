"""A run's folder: what was asked for, and each round and row as it was done, so that a run can be resumed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from slipway.supervisor.fleet import Profile


@dataclass(frozen=True, slots=True)
class Round:
    """One injection. ``load_per_s``: good answers a second before it; ``recovery_s``: None, it never answered again.

    ``void``: why the round says nothing, or None.
    """

    number: int
    load_per_s: float
    note: str
    recovery_s: float | None
    void: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was asked for; a resumed run goes on with it. ``minutes`` are of all cells together."""

    cells: list[tuple[str, str]]
    seed: int
    rounds: int | None
    minutes: float | None
    profile: Profile


class Journal:
    """``journal.jsonl`` in the run's folder: a line for each thing that is done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "journal.jsonl"

    def cell(self, service: str, fault: str) -> Path:
        """The cell's own folder."""
        return self.folder / f"{service}-{fault}"

    def asked(self) -> Asked | None:
        """What the run in this folder was asked for; None: nothing is there."""
        for line in self._lines():
            if "asked" in line:
                told = line["asked"]
                return Asked(**{**told, "cells": [(service, fault) for service, fault in told["cells"]]})
        return None

    def ask(self, asked: Asked) -> None:
        """Begin."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write({"asked": asdict(asked)})

    def rounds(self, service: str, fault: str) -> list[Round]:
        """The rounds that a cell has behind it, since it last began anew."""
        found: list[Round] = []
        for one in self._of(service, fault):
            if "anew" in one:
                found.clear()
            elif "round" in one:
                found.append(Round(**one["round"]))
        return found

    def begin_anew(self, service: str, fault: str) -> None:
        """Forget the rounds of a cell whose data is gone."""
        self._write({"service": service, "fault": fault, "anew": True})

    def add_round(self, service: str, fault: str, done: Round) -> None:
        """Keep a round that is done."""
        self._write({"service": service, "fault": fault, "round": asdict(done)})

    def row(self, service: str, fault: str) -> dict[str, Any] | None:
        """A finished cell's row of the report."""
        return next((one["row"] for one in self._of(service, fault) if "row" in one), None)

    def add_row(self, row: dict[str, Any]) -> None:
        """Keep the row of a finished cell."""
        self._write({"service": row["service"], "fault": row["fault"], "row": row})

    def _of(self, service: str, fault: str) -> Iterator[dict[str, Any]]:
        return (one for one in self._lines() if (one.get("service"), one.get("fault")) == (service, fault))

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        for text in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(text)
            except ValueError:
                continue  # torn by the death of whoever wrote it
