from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from slipway.supervisor.kafka import KafkaMisplaced, jars_folder, kafka_units
from slipway.supervisor.ports import Ports
from slipway.supervisor.redis import NotInstalled
from slipway.supervisor.spec import UnitSpec

_PORTS: Ports = {
    "kafka": {"tcp": 1, "controller": 11},
    "kafka-2": {"tcp": 2, "controller": 12},
    "kafka-3": {"tcp": 3, "controller": 13},
    "redis": {"tcp": 9},
}


@pytest.fixture
def java(tmp_path, monkeypatch) -> Path:
    """A java and jars that nobody runs."""
    program = tmp_path / "java" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    jars_folder().mkdir(parents=True)
    return program


def units(root: Path, ports: Ports) -> list[UnitSpec]:
    return kafka_units(root, ports, lambda name: {"NAME": name}, lambda name: root / f"{name}.log")


def settings(unit: UnitSpec) -> dict[str, str]:
    unit.before()
    lines = Path(unit.command[-1]).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_one_node_votes_alone_and_keeps_one_copy(tmp_path, java):
    [unit] = units(tmp_path, {"kafka": _PORTS["kafka"], "redis": {"tcp": 9}})
    told = settings(unit)
    assert (unit.name, unit.endpoints["tcp"], unit.command[0]) == ("kafka", "127.0.0.1:1", str(java))
    assert told["controller.quorum.voters"] == "1@127.0.0.1:11"
    assert (told["default.replication.factor"], told["min.insync.replicas"]) == ("1", "1")
    assert told["log.dir"] == str(tmp_path / "kafka" / "logs")


def test_three_nodes_are_one_cluster_that_may_lose_one(tmp_path, java):
    found = units(tmp_path, _PORTS)
    told = [settings(unit) for unit in found]
    assert [unit.env["NAME"] for unit in found] == ["kafka", "kafka-2", "kafka-3"]
    assert [one["node.id"] for one in told] == ["1", "2", "3"]
    assert {one["controller.quorum.voters"] for one in told} == {"1@127.0.0.1:11,2@127.0.0.1:12,3@127.0.0.1:13"}
    assert {one[key] for one in told for key in ("default.replication.factor", "offsets.topic.replication.factor")} == {
        "3"
    }
    assert {one["min.insync.replicas"] for one in told} == {"2"}
    clusters = {unit.first()[unit.first().index("--cluster-id") + 1] for unit in found}
    assert len(clusters) == 1
    assert units(tmp_path, _PORTS)[2].first() == found[2].first()


def test_what_is_formatted_is_not_formatted_again(tmp_path, java):
    [unit] = units(tmp_path, {"kafka": _PORTS["kafka"]})
    (tmp_path / "kafka" / "logs").mkdir()
    (tmp_path / "kafka" / "logs" / "meta.properties").touch()
    assert unit.first() is None


def test_a_folder_keeps_its_number_of_brokers(tmp_path, java):
    units(tmp_path, _PORTS)
    with pytest.raises(KafkaMisplaced, match="of a cluster of 3 brokers, not 1"):
        units(tmp_path, {"kafka": _PORTS["kafka"]})


def test_kafka_that_is_not_here_names_the_ways_to_get_it(tmp_path, java, monkeypatch):
    jars_folder().rmdir()
    with pytest.raises(NotInstalled, match="scripts/stack install"):
        units(tmp_path, _PORTS)
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="openjdk-17-jre-headless"):
        units(tmp_path, _PORTS)


async def test_a_broker_starts_where_it_has_room_to_go_over_its_log(tmp_path, java, monkeypatch):
    [unit] = units(tmp_path / "not" / "yet", {"kafka": _PORTS["kafka"]})
    assert await unit.needs() is None
    asked: list[Path] = []

    def nearly_full(place: Path) -> SimpleNamespace:
        asked.append(Path(place))
        return SimpleNamespace(free=64 * 2**20 - 1)

    monkeypatch.setattr(shutil, "disk_usage", nearly_full)
    told = await unit.needs()
    assert told is not None
    assert "needs 64 MiB of free disk" in told
    assert asked[0].exists()
