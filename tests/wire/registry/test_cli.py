"""The operator's verbs against the real registry."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.registry.cli import main
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

ROUTE = "name=main,model=m,alias=champion,weight=100"


class Tool:
    """`slipway-registry`, each time in a thread, because it waits for the server in this loop."""

    def __init__(self, wire: Any) -> None:
        self._address = f"127.0.0.1:{wire.server.port}"

    async def __call__(self, *arguments: str) -> Result:
        given = [*arguments, "--address", self._address]
        return await asyncio.to_thread(CliRunner().invoke, main, given, catch_exceptions=False)

    async def json(self, *arguments: str) -> Any:
        ended = await self(*arguments, "--json")
        assert ended.exit_code == 0, ended.stderr
        return json.loads(ended.stdout)


def onnx_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "onnx" in path.name]


@pytest.fixture
def tool(wire: Any) -> Tool:
    return Tool(wire)


async def test_models_versions_and_aliases_are_shown(wire: Any, tool: Tool) -> None:
    assert (await tool("models")).stdout == "no model yet\n"
    assert await tool.json("models") == []
    versions = await wire.versions("m", 2)
    assert (await tool("aliases", "m")).stdout == "m has no alias yet\n"
    moved = await tool.json("set-alias", "m", "champion", "1")
    assert (moved["model"], moved["alias"], moved["version"]) == ("m", "champion", 1)
    (model,) = await tool.json("models")
    assert (model["name"], model["latest_version"], model["aliases"]) == ("m", 2, {"champion": 1})
    assert [one["number"] for one in await tool.json("versions", "m")] == [2, 1]
    assert [(one["alias"], one["version"]) for one in await tool.json("aliases", "m")] == [("champion", 1)]
    by_alias = await tool.json("version", "m", "alias:champion")
    assert by_alias == await tool.json("version", "m", "1")
    assert by_alias["artifact"]["digest"] == versions[0].artifact.digest
    assert by_alias["signature"]["inputs"][0]["name"] == "distance"
    assert by_alias["lineage"]["run_id"] == "run-1"
    shown = (await tool("version", "m", "2")).stdout
    for told in ("distance", "late", "auc", "num_leaves", "run-1", "flights-delay", versions[1].artifact.digest):
        assert told in shown
    for verb in (["models"], ["versions", "m"], ["aliases", "m"]):
        assert (await tool(*verb)).exit_code == 0


async def test_endpoints_are_put_shown_and_removed(wire: Any, tool: Tool) -> None:
    await wire.versions("m", 2)
    await tool("set-alias", "m", "champion", "1")
    assert (await tool("endpoints")).stdout == "no endpoint yet\n"
    put = await tool.json("put-endpoint", "late", "--route", ROUTE, "--route", "name=canary,model=m,version=2,weight=5")
    assert [(one["name"], one["resolved_version"], one["weight"]) for one in put["routes"]] == [
        ("main", 1, 100),
        ("canary", 2, 5),
    ]
    assert await tool.json("endpoint", "late") == put
    (row,) = await tool.json("endpoints")
    assert row["routes"] == "main: m@champion at 100, canary: m/2 at 5"
    assert "m@champion" in (await tool("endpoint", "late")).stdout
    stale = await tool("put-endpoint", "late", "--route", ROUTE, "--expected-revision", "9")
    assert (stale.exit_code, "read it again" in stale.stderr) == (1, True)
    assert await tool.json("delete-endpoint", "late") == {"deleted": "late"}
    assert (await tool("endpoint", "late")).exit_code == 3


async def test_an_artifact_is_written_whole_or_not_at_all(wire: Any, tool: Tool, tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    digest = (await wire.artifact(data)).digest
    output = tmp_path / "model.onnx"
    output.write_bytes(b"old")
    told = await tool.json("artifact", digest, "--output", str(output))
    assert told == {"digest": digest, "size_bytes": len(data), "output": str(output)}
    assert output.read_bytes() == data
    stored = next(wire.config.artifacts.rglob(digest.removeprefix("sha256:")))
    stored.chmod(0o644)
    stored.write_bytes(data[:-1] + b"?")
    damaged = await tool("artifact", digest, "--output", str(output), "--json")
    assert (damaged.exit_code, json.loads(damaged.stderr)["error"]["kind"]) == (1, "data_loss")
    assert output.read_bytes() == data
    assert onnx_in(tmp_path) == ["model.onnx"]
    nowhere = await tool("artifact", (await wire.artifact(b"x")).digest, "--output", str(tmp_path / "no" / "file"))
    assert (nowhere.exit_code, "choose another --output" in nowhere.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["versions", "nobody"], 3, "nobody"),
        (["version", "m", "77"], 3, "77"),
        (["version", "m", "alias:nobody"], 3, "nobody"),
        (["version", "m", "latest"], 2, "alias:champion"),
        (["version", "m", "alias:"], 2, "alias:champion"),
        (["version", "m", "0"], 2, "selector"),
        (["version", "../m", "1"], 2, "model"),
        (["aliases", "nobody"], 3, "nobody"),
        (["set-alias", "m", "Bad Name", "1"], 2, "alias"),
        (["set-alias", "m", "champion", "one"], 2, "VERSION"),
        (["set-alias", "m", "champion", "--", "-1"], 2, "version"),
        (["set-alias", "m", "champion", "99"], 3, "99"),
        (["put-endpoint", "late"], 2, "--route"),
        (["put-endpoint", "late", "--route", "main"], 2, "--route"),
        (["put-endpoint", "late", "--route", "name=main,model=m"], 2, "--route"),
        (["put-endpoint", "late", "--route", "name=main,model=m,version=1,alias=a"], 2, "--route"),
        (["put-endpoint", "late", "--route", "name=main,model=m,version=x"], 2, "version=x"),
        (["put-endpoint", "late", "--route", "name=main,name=other,model=m,version=1"], 2, "--route"),
        (["put-endpoint", "late", "--route", "name=main,model=m,version=1,colour=red"], 2, "colour=red"),
        (["put-endpoint", "late", "--route", "name=main,model=m,version=1,weight=99999"], 2, "weight"),
        (["put-endpoint", "late", "--route", "name=main,model=m,version=99999999999999"], 2, "version"),
        (["delete-endpoint", "nobody"], 3, "nobody"),
        (["artifact", "sha256:../../x", "--output", "x"], 2, "digest"),
        (["artifact", "sha256:" + "0" * 64, "--output", "x"], 3, "0000"),
        (["artifact", "sha256:" + "0" * 64], 2, "--output"),
    ],
)
async def test_bad_input_names_what_is_wrong(wire: Any, tool: Tool, arguments: list[str], code: int, told: str) -> None:
    await wire.versions("m")
    given = arguments if "--" not in arguments else arguments[:-2]
    rest = arguments[len(given) :]
    ended = await asyncio.to_thread(
        CliRunner().invoke, main, [*given, "--json", "--address", f"127.0.0.1:{wire.server.port}", *rest]
    )
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert told in json.dumps(json.loads(ended.stderr)["error"])
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("verb", sorted(main.commands))
def test_every_verb_shows_an_example(verb: str) -> None:
    shown = CliRunner().invoke(main, [verb, "--help"]).stdout
    assert f"slipway-registry {verb}" in shown.partition("Example")[2]


async def test_an_endpoint_is_taken_over_and_put_back(wire: Any, tool: Tool) -> None:
    await wire.versions("m", 3)
    await tool("set-alias", "m", "champion", "1")
    await tool("put-endpoint", "late", "--route", ROUTE, "--route", "name=dark,model=m,version=1,weight=0,shadow=yes")
    assert (await tool("rollouts", "late")).stdout == "late has had no rollout yet\n"
    nothing = await tool("rollout", "cancel", "late")
    assert (nothing.exit_code, "rollout start" in nothing.stderr) == (3, True)

    started = await tool.json("rollout", "start", "late", "2", "--steps", "0,25", "--labels", "50", "--margin", "0.01")
    assert [(one["percent"], one["min_labels"]) for one in started["rollout"]["plan"]["steps"]] == [(0, 50), (25, 50)]
    assert (started["rollout"]["state"], started["rollout"]["plan"]["margin"]) == ("running", 0.01)
    shown = (await tool("endpoint", "late")).stdout
    assert all(told in shown for told in ("candidate", "running", "1 of 2 (shadow/25%)", "dark"))
    second = await tool("rollout", "start", "late", "3")
    assert (second.exit_code, "slipway-registry rollout cancel late" in second.stderr) == (1, True)
    ended = await tool.json("rollout", "cancel", "late", "--reason", "not today")
    assert (ended["rollout"]["state"], ended["rollout"]["reason"]) == ("rolled_back", "not today")
    assert [one["name"] for one in ended["routes"]] == ["main", "dark"]
    switch = await tool.json("rollout", "start", "late", "2", "--kind", "blue-green", "--keep-s", "60")
    assert (switch["rollout"]["plan"]["kind"], switch["rollout"]["plan"]["keep_s"]) == ("blue_green", 60)
    await tool("rollout", "cancel", "late")
    split = await tool.json("rollout", "start", "late", "2", "--kind", "ab", "--experiment", "spring")
    assert (split["experiment"]["name"], split["rollout"]["plan"]["steps"][0]["percent"]) == ("spring", 50)
    await tool("rollout", "cancel", "late")
    *_, listed = await tool.json("rollouts", "late")
    assert listed["id"] == ended["rollout"]["id"]
    assert "not today" in (await tool("rollouts", "late")).stdout

    await tool("set-alias", "m", "champion", "2")
    await tool("set-alias", "m", "champion", "3")
    assert (await tool.json("rollback", "late", "--reason", "wrong units"))["routes"][0]["resolved_version"] == 2
    assert (await tool.json("rollback", "late"))["routes"][0]["resolved_version"] == 1
    last = await tool("rollback", "late")
    assert (last.exit_code, "no version to go back to" in last.stderr) == (1, True)


async def test_all_of_an_endpoint_comes_from_a_file_and_any_revision_is_gone_back_to(
    wire: Any, tool: Tool, tmp_path: Path
) -> None:
    await wire.versions("m", 2)
    await tool("set-alias", "m", "champion", "1")
    first = await tool.json("put-endpoint", "late", "--route", ROUTE, "--reason", "the first")
    parts = {
        "guardrails": {"max_error_share": 0.2, "max_p99_latency_ms": 50.0},
        "fallback": {"outputs": {"late": [0.5]}, "when_not_ready": True, "when_features_unavailable": False},
        "sticky_by": ["plane"],
        "experiment": {"name": "spring", "arms": ["main", "other"]},
    }
    other = {"name": "other", "model": "m", "version": 2, "weight": 5}
    file = tmp_path / "late.json"
    file.write_text(json.dumps(first | parts | {"routes": [*first["routes"], other]}))
    put = await tool.json("put-endpoint", "late", "--file", str(file))
    assert put["guardrails"] == parts["guardrails"] | {"window_batches": 1_000, "min_batches": 100}
    assert [put[name] for name in ("fallback", "sticky_by")] == [parts["fallback"], ["plane"]]
    assert put["experiment"] == {**parts["experiment"], "salt": ""}
    file.write_text(json.dumps(await tool.json("endpoint", "late")))
    assert await tool.json("put-endpoint", "late", "--file", str(file)) == put
    # What --route says nothing of stays.
    routes = ["--route", ROUTE, "--route", "name=other,model=m,version=1,weight=5"]
    assert (await tool.json("put-endpoint", "late", *routes))["fallback"] == parts["fallback"]
    assert "spring" in (await tool("endpoint", "late")).stdout

    revisions = await tool.json("revisions", "late")
    assert [(one["cause"], one["reason"]) for one in revisions] == [("put", ""), ("put", ""), ("put", "the first")]
    assert (await tool.json("revisions", "late", "--limit", "1")) == revisions[:1]
    back = await tool.json("rollback", "late", "--to-revision", str(first["revision"]), "--reason", "noon")
    assert (back["routes"], back["guardrails"], back["revision"]) == (first["routes"], None, put["revision"] + 2)
    assert "to revision 1: noon" in (await tool("revisions", "late")).stdout
    gone = await tool("rollback", "late", "--to-revision", "99")
    assert (gone.exit_code, "slipway-registry revisions late" in gone.stderr) == (3, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        ("[]", "is no object"),
        ('{"colour": 1}', "colour"),
        ('{"routes": {}}', "routes is no list"),
        ('{"routes": [{"name": "main"}]}', "model"),
        ('{"routes": [], "fallback": {"outputs": 1}}', "fallback.outputs"),
        ('{"routes": [], "fallback": {"outputs": {}, "when_not_ready": 1}}', "fallback.when_not_ready"),
        ('{"routes": [], "guardrails": {"max": 1}}', "max_error_share"),
        ('{"routes": [], "guardrails": {"window_batches": "many"}}', "window_batches"),
        ('{"routes": [], "experiment": {"name": "x", "arms": "main"}}', "experiment.arms"),
    ],
)
async def test_a_file_that_is_no_endpoint_is_a_usage_error(tool: Tool, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "late.json"
    file.write_text(text)
    ended = await tool("put-endpoint", "late", "--file", str(file))
    assert (ended.exit_code, told in ended.stderr, "Traceback" in ended.stderr) == (2, True, False)


@pytest.mark.parametrize("steps", ["", "half", "0,,25", "1000", "-5"])
async def test_steps_that_are_none_are_a_usage_error(tool: Tool, steps: str) -> None:
    ended = await tool("rollout", "start", "late", "2", f"--steps={steps},")
    assert (ended.exit_code, "--steps" in ended.stderr) == (2, True)


async def test_lineage_tells_what_a_version_was_made_from(wire: Any, tool: Tool) -> None:
    (plain,) = await wire.versions("m")
    told = await tool.json("lineage", "m", "1")
    assert (told["run"], told["rows"], told["workflow"]) == ("run-1", 10, "flights-delay")
    assert (told["training_set"], told["baseline_rows"], told["definitions"]) == (None, None, [])
    assert told["artifact"] == plain.artifact.digest
    version = res.ModelVersion()
    version.CopyFrom(plain)
    version.lineage.data.training_set = "ts-7"
    version.lineage.data.definitions.extend(["plane@3", "flight_delay@2"])
    version.baseline.features.add(name="distance", edges=[1.0], counts=[1, 2], spread=0.1)
    version.baseline.block.FromSeconds(86_400)
    version.baseline.row_count = 321
    await wire.call("CreateModelVersion", pb.CreateModelVersionRequest(request_id="b", version=version))
    told = await tool.json("lineage", "m", "2")
    assert (told["training_set"], told["definitions"]) == ("ts-7", ["plane@3", "flight_delay@2"])
    assert (told["baseline_rows"], told["baseline_features"]) == (321, 1)
    shown = (await tool("lineage", "m", "2")).stdout
    assert all(one in shown for one in ("ts-7", "plane@3, flight_delay@2", "321", "run-1"))
    assert [one["baseline"] for one in await tool.json("versions", "m")] == [True, False]
    assert (await tool.json("version", "m", "2"))["baseline"]["block_s"] == 86_400
