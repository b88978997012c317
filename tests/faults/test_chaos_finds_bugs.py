"""The checker of ``scripts/faults`` on services with a bug seeded into them: it has to find each.

A variant is made of the real parts in the wrong order (``variants/``), and killed between the two that were swapped.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.chaos.fault import Fault
from scripts.chaos.faults.failpoint import KillAtFailpoint
from scripts.chaos.findings import Broken
from scripts.chaos.journal import Journal
from scripts.chaos.load import Load
from scripts.chaos.loads.feature_serving import FeatureServingLoad
from scripts.chaos.loads.registry import RegistryLoad
from scripts.chaos.rounds import Cell, Until
from slipway.failpoints import Name
from slipway.supervisor.spec import UnitSpec

VARIANTS = Path(__file__).with_name("variants")


class KillVariant(KillAtFailpoint):
    """Runs a variant in the service's place, and kills it at one failpoint."""

    def __init__(self, variant: str, service: str, point: Name) -> None:
        super().__init__(points=(point,))
        self._script = str(VARIANTS / variant)
        self._service = service

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        unit = await super().adapt(unit)
        if unit.name != self._service:
            return unit
        return replace(unit, command=(sys.executable, self._script, *unit.command[1:]))


async def findings(load: Load, fault: Fault, folder: Path, rounds: int = 1) -> set[Broken]:
    cell = Cell(load, fault, seed=1, until=Until(rounds, None), journal=Journal(folder), say=print)
    done = await cell.run()
    for one in done.findings[:10]:
        print(one)
    assert [one.void for one in done.rounds if one.void == "did not strike"] == []
    return {one.broken for one in done.findings}


@pytest.mark.timeout(120)
async def test_an_outbox_that_publishes_before_its_commit(tmp_path: Path) -> None:
    fault = KillVariant("registry_publishes_early.py", "registry", "sql.commit.before")
    # What a kill takes is asked for again, and told twice; or nobody asks again, as for an alias's move, and the next
    # event tells of a move from where the alias never stood.
    assert {Broken.DUPLICATED, Broken.WRONG} & await findings(RegistryLoad(), fault, tmp_path, rounds=3)


@pytest.mark.timeout(120)
async def test_a_consumer_that_commits_its_offset_before_its_effect(tmp_path: Path) -> None:
    fault = KillVariant("features_commits_early.py", "feature_serving", "events.handle.before")
    # What one kill takes may be rows alone that later ones replace: nobody misses them.
    assert Broken.LOST in await findings(FeatureServingLoad(), fault, tmp_path, rounds=3)
