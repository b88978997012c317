"""The consumer of docs/events.md on what a gateway really logs: from the embedded log, and from Kafka."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from scripts.toolchain.tree import ROOT
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1.events_pb2 import OutputColumn, PredictionBatch

TOPIC = "inference.predictions.v1"


def follow(into: Path, *options: str) -> tuple[str, str]:
    """Run the example as its readers do, to the log's end."""
    command = [sys.executable, "-m", "examples.consumers.predictions", "--into", str(into), "--once", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout, done.stderr


def kept(into: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(into)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM prediction ORDER BY prediction_id")]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_example_keeps_every_prediction_once(served: Any, tmp_path: Path, kafka_url: str) -> None:
    rows = [served.row | {"year": 2000.0}, {name: value for name, value in served.row.items() if name != "year"}]
    for number in range(2):
        ids = [f"{number}-{row}" for row in range(2)]
        await served.client.inference.predict("late", rows, prediction_ids=ids)
    await served.logged("late", 4)

    embedded = tmp_path / "embedded.db"
    follow(embedded, "--log", served.events.removeprefix("sqlite:///"))
    found = kept(embedded)
    assert [(one["prediction_id"], one["version"], one["route"]) for one in found] == [
        (f"{number}-{row}", 1, "main") for number in range(2) for row in range(2)
    ]
    assert [json.loads(one["features"])["year"] for one in found] == [2000.0, None] * 2
    assert json.loads(found[0]["outputs"])["seen_carrier"] == ["UA"]

    servers, prefix = kafka_url.removeprefix("kafka://").split("?prefix=")
    events = [record.event for record in await served.records(TOPIC)]
    async with open_log(kafka_url) as log:
        # Delivered again, with junk of ours between, and a message of somebody else.
        await log.publisher().publish([*events, replace(events[0], id="junk", value=b"\xff"), *events])
    producer = Producer({"bootstrap.servers": servers})
    producer.produce(f"{prefix}{TOPIC}", b"no event")
    assert producer.flush(30) == 0
    streamed = tmp_path / "streamed.db"
    options = ["--kafka", servers, "--topic", f"{prefix}{TOPIC}", "--group"]
    _, complaints = follow(streamed, *options, f"{prefix}one")
    assert kept(streamed) == found
    assert "skipped event junk" in complaints
    assert "no event of the platform" in complaints
    # Another group begins anew, and what was kept is not kept twice.
    follow(streamed, *options, f"{prefix}other")
    assert kept(streamed) == found


async def test_the_example_keeps_the_rows_of_every_batch_of_an_event(tmp_path: Path) -> None:
    first, *more = (
        PredictionBatch(
            endpoint="late",
            model="m",
            version=number,
            route="main",
            prediction_ids=[f"{number}-0", f"{number}-1"],
            event_times_us=[1, 2],
            features=[{"name": "distance", "doubles": {"values": [number, 7.0]}}],  # type: ignore[list-item]
            outputs=[OutputColumn(name="p", width=1, values=[0.5, number])],
        )
        for number in (1, 2, 3)
    )
    first.more.extend(more)
    value, log_file, into = first.SerializeToString(), tmp_path / "log.db", tmp_path / "kept.db"
    event = Event("gateway-1/0+2", TOPIC, "late", "t", "/gateway", datetime.now(UTC), value)
    async with open_log(f"sqlite:///{log_file}") as log:
        await log.publisher().publish([event])
    for _ in range(2):
        follow(into, "--log", str(log_file), "--group", "one")
    found = kept(into)
    assert [(one["prediction_id"], one["version"]) for one in found] == [
        (f"{number}-{row}", number) for number in (1, 2, 3) for row in range(2)
    ]
    assert [json.loads(one["features"])["distance"] for one in found] == [1, 7, 2, 7, 3, 7]
    assert [json.loads(one["outputs"])["p"] for one in found] == [[0.5], [1], [0.5], [2], [0.5], [3]]
