"""`slipway-gateway predict --stream`, as its users run it."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
COMMAND = str(Path(sys.executable).with_name("slipway-gateway"))


def line(distance: Any = 1.0, **more: Any) -> bytes:
    return json.dumps({"features": {"distance": distance, "stops": 2}, **more}).encode() + b"\n"


async def begin(served: Any, *arguments: str, endpoint: str = "late", address: str = "") -> Process:
    where = ["--address", address or served.address]
    return await asyncio.create_subprocess_exec(
        *(COMMAND, "predict", endpoint, *arguments, *where), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def ended(process: Process, given: bytes | None = None) -> tuple[int | None, str, str]:
    out, err = await process.communicate(given)
    return process.returncode, out.decode(), (err or b"").decode()


async def test_each_line_is_answered_as_it_comes(served: Any) -> None:
    process = await begin(served, "--stream", "-", "--json")
    assert process.stdin is not None
    assert process.stdout is not None
    for number in range(1, 4):
        process.stdin.write(line(float(number), id=f"line-{number}"))
        told = json.loads(await process.stdout.readline())
        assert (told["line"], told["p"], told["prediction_id"]) == (number, float(number), f"line-{number}")
        assert (told["model"], told["version"], told["route"]) == ("m", 1, "main")
    process.stdin.close()
    assert await ended(process) == (0, "", "")


async def test_it_ends_at_once_where_nobody_listens_though_more_may_come(served: Any) -> None:
    process = await begin(served, "--stream", "-", address="127.0.0.1:1")
    assert process.stdin is not None
    code, out, err = await ended(process)
    assert (code, out, "127.0.0.1:1" in err) == (4, "", True)


async def test_a_file_of_many_is_answered_line_by_line(served: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"".join(line(float(number)) for number in range(1, 501)) + b"\n")
    code, out, err = await ended(await begin(served, "--stream", str(file), "--json"))
    told = [json.loads(one) for one in out.splitlines()]
    assert (code, err) == (0, "")
    assert {one["line"]: one["p"] for one in told} == {number: float(number) for number in range(1, 501)}


async def test_a_line_without_an_answer_is_told_and_the_others_go_on(served: Any) -> None:
    bad = [
        (b"{\n", "line"),
        (b"[1]\n", "line"),
        (b'{"colour": 1}\n', "line"),
        (b'{"features": 1}\n', "features"),
        (line(id=""), "id"),
        (line(id="\ud800"), "prediction_ids[0]"),
        (line(event_time="noon"), "event_time"),
        (line(event_time="2013-06-01T12:00"), "event_time"),
        (line(2**70), "features.distance"),
        (line("far"), "features[distance]"),
    ]
    given = line(7.0) + b"".join(sent for sent, _ in bad) + b"\n" + line(8.0)
    code, out, err = await ended(await begin(served, "--stream", "-", "--json"), given)
    told = {one["line"]: one for one in map(json.loads, out.splitlines())}
    assert (code, err) == (2, "")
    assert (told[1]["p"], told[len(bad) + 3]["p"]) == (7.0, 8.0)
    found = {number: [one["field"] for one in told[number]["error"]["violations"]] for number in range(2, len(bad) + 2)}
    assert found == {number: [field] for number, (_, field) in enumerate(bad, 2)}


async def test_people_are_told_in_lines(served: Any) -> None:
    given = line(7.0, id="mine") + b'{"features": {"stops": 2}}\n'
    code, out, err = await ended(await begin(served, "--stream", "-"), given)
    assert code == 2
    assert out.startswith("1  p 7")
    assert "m/1  main  mine" in out
    assert err.startswith("line 2: features[distance]")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({"endpoint": "nowhere"}, 3, "line 1: there is no endpoint 'nowhere'"),
        ({"address": "127.0.0.1:1"}, 4, "127.0.0.1:1"),
    ],
)
async def test_it_ends_as_the_first_line_without_an_answer_would(
    served: Any, more: dict[str, str], code: int, said: str
) -> None:
    found, out, err = await ended(await begin(served, "--stream", "-", **more), line())
    assert (found, out) == (code, "")
    assert said in err


async def test_rows_come_from_one_place(served: Any) -> None:
    code, _, err = await ended(await begin(served, "--stream", "-", "-f", "distance=1"), b"")
    assert (code, "--stream: gives the rows" in err) == (2, True)


async def test_the_help_says_what_a_line_is() -> None:
    process = await asyncio.create_subprocess_exec(COMMAND, "predict", "--help", stdout=PIPE)
    _, told, _ = await ended(process)
    shown = " ".join(told.split())
    assert "--stream FILE" in shown
    assert "a JSON object with features, entity, event_time and id" in shown
