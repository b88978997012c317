"""The command: ``scripts/faults``."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from scripts.chaos import catalogue
from scripts.chaos.journal import Asked, Journal
from scripts.chaos.report import Row, exit_code, table
from scripts.chaos.runner import Run
from slipway.config import data_root

_EPILOG = """\
examples:
  scripts/faults --service registry --fault kill --rounds 20
  scripts/faults --minutes 60 --seed 7 --json faults.json
  scripts/faults --resume .slipway/faults/7-1767225600

exit codes: 0 every promise was kept, 1 one was broken or a cell failed, 2 wrong input,
            3 no promise was broken, but a cell has no valid round
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.list:
        print("\n".join(f"{service} {fault}" for service, fault in catalogue.cells([], [])))
        return 0
    journal = Journal(given.resume or given.folder or _folder(given.seed))
    asked = journal.asked()
    if given.resume and asked is None:
        parser.error(f"--resume: {given.resume} holds no run; give the folder that scripts/faults printed")
    if asked is None:
        rounds = given.rounds if given.rounds or given.minutes else 3
        asked = Asked(catalogue.cells(given.service, given.fault), given.seed, rounds, given.minutes, given.profile)
        journal.ask(asked)
    # Clients whose servers are killed have a lot to say.
    logging.basicConfig(filename=journal.folder / "faults.log", format="%(asctime)s %(name)s %(message)s")
    _say(f"{len(asked.cells)} cells, seed {asked.seed}; go on after an interruption with --resume {journal.folder}")
    try:
        rows = asyncio.run(_until_signalled(Run(asked, journal, _say, given.keep).rows()))
    except asyncio.CancelledError:
        _say(f"interrupted; go on with --resume {journal.folder}")
        return 130
    _tell(rows, given.json)
    return exit_code(rows)


async def _until_signalled(rows: Coroutine[Any, Any, list[Row]]) -> list[Row]:
    """The rows; SIGINT and SIGTERM cancel, so that every process is ended and every mount undone."""
    task = asyncio.ensure_future(rows)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def _tell(rows: Sequence[Row], file: str | None) -> None:
    if file == "-":
        print(json.dumps(rows, indent=1))
        return
    print(table(rows))
    for one in rows:
        for said in ("not_covered", "failed"):
            if said in one:
                print(f"{one['service']} / {one['fault']}: {said.replace('_', ' ')}: {one[said]}")
    if file:
        Path(file).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/faults",
        description="Disturb running services under load, and check that every promise was kept.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--service", action="append", default=[], choices=sorted(catalogue.LOADS), help="this one alone; repeatable"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        choices=[*sorted(catalogue.FAULTS), catalogue.MEDLEY],
        help="this one alone; repeatable",
    )
    parser.add_argument("--seed", type=int, default=0, help="of every choice by chance (default 0)")
    parser.add_argument("--rounds", type=_above_0, metavar="K", help="injections a cell (default 3 without --minutes)")
    parser.add_argument(
        "--minutes", type=float, metavar="M", help="of the rounds of all cells together, in equal shares"
    )
    parser.add_argument("--profile", choices=["embedded", "stack"], default="embedded", help="what is under them")
    parser.add_argument(
        "--json", metavar="FILE", help="write the rows there as JSON; - prints them instead of the table"
    )
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="keep the run here; default: a new one below the data"
    )
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in this folder")
    parser.add_argument("--keep", action="store_true", help="keep the data of cells that kept their promises, too")
    parser.add_argument("--list", action="store_true", help="name every service and fault, and run nothing")
    return parser


def _above_0(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number above 0")
    return number


def _folder(seed: int) -> Path:
    return data_root() / "faults" / f"{seed}-{int(time.time())}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
