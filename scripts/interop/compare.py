"""Our side: a private Redis, feature serving composed as its main does, and Feast in a process of its own beside it."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scripts.interop.cases import PROJECT, ROWS, VIEWS, later
from scripts.toolchain.tree import ROOT
from services.feature_serving.adapters.sql import MIGRATIONS
from services.feature_serving.config import FeatureServingConfig, Rpc
from services.feature_serving.main import compose
from slipway.client import AsyncSlipway, Feature, FeatureView, ValueType
from slipway.sql import migrate
from slipway.supervisor.redis import find_redis

_GOLDEN = ROOT / "tests/golden/feast_redis"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Differs(Exception):
    """The two sides do not say the same."""


@contextmanager
def redis(folder: str) -> Iterator[str]:
    """A Redis of our own on a free port, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [find_redis(), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None or not any(b"eady to accept" in line for line in process.stdout):
                raise Differs("redis-server ended before it was ready")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def theirs(python: str, verb: str, job: dict[str, Any]) -> Any:
    """Let Feast do ``verb``."""
    done = subprocess.run(
        [python, str(ROOT / "scripts/interop/theirs.py"), verb],
        input=json.dumps(job),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def same(told: str, expected: Any, found: Any) -> None:
    """Raise Differs unless the two values are one; single precision rounds."""
    close = isinstance(expected, float) and found is not None and math.isclose(expected, found, rel_tol=1e-6)
    if expected != found and not close:
        raise Differs(f"{told}: expected {expected!r}, found {found!r}")


def typed(view: str, name: str, value: Any) -> Any:
    """A value as our client takes it."""
    is_moment = value is not None and VIEWS[view]["features"].get(name) == "timestamp"
    return _EPOCH + timedelta(seconds=value) if is_moment else value


async def push(client: AsyncSlipway, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write rows by our service."""
    for view, given in rows.items():
        told = VIEWS[view]
        await client.features.push(
            view,
            [{name: row[name] for name in told["entities"]} for row in given],
            [{name: typed(view, name, row[name]) for name in told["features"]} for row in given],
            [_EPOCH + timedelta(microseconds=row["event_time"]) for row in given],
        )


async def check_ours(client: AsyncSlipway, rows: dict[str, list[dict[str, Any]]]) -> int:
    """Read rows by our service and compare; how many values."""
    compared = 0
    for view, given in rows.items():
        told = VIEWS[view]
        answer = await client.features.get_online(
            [f"{view}:{name}" for name in told["features"]],
            [{name: row[name] for name in told["entities"]} for row in given],
        )
        for name in told["features"]:
            column = answer[f"{view}:{name}"]
            for n, row in enumerate(given):
                same(f"we read {view}:{name} of row {n}", typed(view, name, row[name]), column.values[n])
                moment = _EPOCH + timedelta(microseconds=row["event_time"])
                same(f"we read the event time of {view} row {n}", moment, column.event_times[n])
                compared += 1
    return compared


def check_theirs(answered: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> int:
    """Compare what Feast read; how many values."""
    compared = 0
    for view, given in rows.items():
        for n, row in enumerate(given):
            # Feast takes the seconds through a float on their way out.
            if abs(answered[view]["event_times"][n] - row["event_time"]) > 1:
                raise Differs(f"Feast reads {answered[view]['event_times'][n]} as the event time of {view} row {n}")
            for name, values in answered[view]["values"].items():
                same(f"Feast reads {view}:{name} of row {n}", row[name], values[n])
                compared += 1
    return compared


async def compare(python: str, folder: str, address: str) -> int:
    """Both directions; how many values were compared."""
    config = FeatureServingConfig(
        rpc=Rpc(listen="127.0.0.1:0"),
        data=Path(folder),
        database_url="",
        redis_url=f"redis://{address}/0",
        events_url="",
    )
    migrate(config.database, MIGRATIONS)
    job = {"folder": folder, "redis": address, "project": PROJECT, "views": VIEWS, "rows": ROWS}
    newer = {view: later(rows, 60) for view, rows in ROWS.items()}
    async with compose(config) as parts:
        await parts.server.start()
        try:
            async with AsyncSlipway(features=f"127.0.0.1:{parts.server.port}") as client:
                await client.features.apply([_view(name) for name in VIEWS])
                await push(client, ROWS)
                compared = check_theirs(await asyncio.to_thread(theirs, python, "read", job), ROWS)
                await asyncio.to_thread(theirs, python, "write", {**job, "rows": newer})
                compared += await check_ours(client, newer)
                # What Feast wrote is newer, and must withstand our older rows.
                await push(client, ROWS)
                return compared + await check_ours(client, newer)
        finally:
            await parts.server.stop()


def _view(name: str) -> FeatureView:
    features = VIEWS[name]["features"]
    return FeatureView(
        name,
        "interop",
        tuple(VIEWS[name]["entities"]),
        tuple(Feature(one, ValueType(features[one])) for one in features),
    )


def main() -> int:
    """Compare, with --record also renew the golden bytes; returns the exit code."""
    python, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, redis(folder) as address:
        try:
            print(f"{asyncio.run(compare(python, folder, address))} values agree with Feast's")
        except Differs as difference:
            print(difference, file=sys.stderr)
            return 1
        if "--record" in options:
            made = theirs(python, "record", {"project": PROJECT, "views": VIEWS, "rows": ROWS})
            for view, told in made.items():
                text = json.dumps({"project": PROJECT, **told}, indent=1, ensure_ascii=False)
                (_GOLDEN / f"{view}.json").write_text(f"{text}\n", encoding="utf-8")
                print(f"recorded {view}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
