"""A run: its cells one after another, each on a platform of its own."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass

from scripts.chaos import catalogue
from scripts.chaos.journal import Asked, Journal
from scripts.chaos.report import Row, refused_row, row_of
from scripts.chaos.rounds import Cell, Say, Until


@dataclass(frozen=True)
class Run:
    """What was asked for, where it is kept, and who hears of it."""

    asked: Asked
    journal: Journal
    say: Say
    keep: bool = False

    async def rows(self) -> list[Row]:
        """Every cell's row; those that the journal has are not run again.

        A cell whose platform does not start, or whose load breaks, gives a row that says so.
        """
        share_s, rows = self._share_s(), list[Row]()
        for service, fault in self.asked.cells:
            row = self.journal.row(service, fault)
            if row is None:
                row = await self._row(service, fault, share_s)
                self.journal.add_row(row)
            rows.append(row)
        return rows

    def _share_s(self) -> float | None:
        """The seconds that the rounds of each cell have; starting and stopping its platform come on top."""
        if self.asked.minutes is None:
            return None
        suited = sum(
            catalogue.fault(fault).unsuited(catalogue.LOADS[service]().needs, self.asked.profile) is None
            for service, fault in self.asked.cells
        )
        return self.asked.minutes * 60.0 / max(1, suited)

    async def _row(self, service: str, name: str, seconds: float | None) -> Row:
        load, fault, profile = catalogue.LOADS[service](), catalogue.fault(name), self.asked.profile
        if why := fault.unsuited(load.needs, profile):
            self.say(f"{service} / {name}: not covered: {why}")
            return refused_row(service, name, profile, why)
        cell = Cell(load, fault, self.asked.seed, Until(self.asked.rounds, seconds), self.journal, self.say, profile)
        try:
            done = await cell.run()
        except Exception as error:  # one cell that breaks must not take the others along
            logging.getLogger(__name__).exception("%s / %s failed", service, name)
            self.say(f"{service} / {name}: failed: {error}")
            return {"service": service, "fault": name, "profile": profile, "failed": f"{type(error).__name__}: {error}"}
        row = row_of(service, name, profile, self.asked.seed, done)
        for one in row["findings"]:
            self.say(f"{service} / {name}: {one}")
        if not row["findings"] and not self.keep:
            # What kept its promises is of no use to anybody; what did not stays for whoever looks into it.
            shutil.rmtree(self.journal.cell(service, name), ignore_errors=True)
        return row
