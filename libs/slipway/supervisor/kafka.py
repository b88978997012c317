"""The private Kafka: one KRaft node, or three, broker and controller in one, from jars in the user's cache."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from slipway.errors import Kind, SlipwayError
from slipway.supervisor.fleet import BROKERS
from slipway.supervisor.health import Probe, kafka_serves
from slipway.supervisor.ports import Ports
from slipway.supervisor.redis import NotInstalled
from slipway.supervisor.spec import UnitSpec

VERSION = "4.1.2"

# A short start and a small heap matter more to tests than the last record a second.
_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)

# What a broker writes while it starts: a snapshot of producers and the first pages of two indexes a partition.
_ROOM_BYTES = 64 * 1024 * 1024

_SETTINGS = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{tcp},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{tcp}
controller.listener.names=CONTROLLER
log.dir={logs}
# A mistyped topic is an error, not a new topic.
auto.create.topics.enable=false
# What Kafka keeps for itself has few partitions to open at a start.
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
default.replication.factor={copies}
min.insync.replicas={in_sync}
# Groups gather at once, and a dead member may be noticed within a second.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A lone voter need not wait for others, nor a broker that was killed for long until its own registration has expired.
controller.quorum.election.timeout.ms={election_ms}
controller.quorum.election.backoff.max.ms={election_ms}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
metadata.max.idle.interval.ms=5000
log.cleaner.dedupe.buffer.size=16777216
"""


class KafkaMisplaced(SlipwayError):
    """Kafka's folder is of another cluster; the message says how to go on."""

    kind = Kind.FAILED_PRECONDITION
    reason = "KAFKA_MISPLACED"


def kafka_units(
    root: Path, ports: Ports, env: Callable[[str], Mapping[str, str]], log: Callable[[str], Path]
) -> list[UnitSpec]:
    """The Kafka units among ``ports``, of kinds tcp, for clients, and controller; each broker and voter in one.

    What was written is there again after a restart, on other ports too. Raises :class:`NotInstalled`, or
    :class:`KafkaMisplaced` where ``root`` has a cluster of another number of brokers.
    """
    names = [name for name in BROKERS if name in ports]
    if not names:
        return []
    cluster = _cluster(root / "kafka" / "cluster.json", len(names))
    shared: dict[str, str | int] = {
        "voters": ",".join(f"{node}@127.0.0.1:{ports[name]['controller']}" for node, name in enumerate(names, 1)),
        "copies": min(3, len(names)),
        "in_sync": 2 if len(names) > 2 else 1,
        "election_ms": 1000 if len(names) > 1 else 200,
    }
    return [
        _unit(root / name, {**shared, **ports[name], "node": node}, cluster, env=env(name), log=log(name))
        for node, name in enumerate(names, 1)
    ]


def _unit(
    folder: Path, values: Mapping[str, str | int], cluster: str, *, env: Mapping[str, str], log: Path
) -> UnitSpec:
    settings, logs = folder / "server.properties", folder / "logs"
    program = (find_java(), *_JVM, *_LOGGING, "-cp", f"{find_jars()}/*")

    def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.write_text(_SETTINGS.format(**values, logs=logs), encoding="utf-8")

    def unformatted() -> tuple[str, ...] | None:
        if (logs / "meta.properties").is_file():
            return None
        words = ("format", "--cluster-id", cluster, "--ignore-formatted", "--config", str(settings))
        return (*program, "kafka.tools.StorageTool", *words)

    endpoints = {kind: f"127.0.0.1:{values[kind]}" for kind in ("tcp", "controller")}
    return UnitSpec(
        name=folder.name,
        command=(*program, "kafka.Kafka", str(settings)),
        env=env,
        endpoints=endpoints,
        probe=kafka_serves(endpoints["tcp"]),
        log=log,
        before=prepare,
        needs=_room(folder),
        first=unformatted,
    )


def _room(folder: Path) -> Probe:
    """A broker goes over its log when it starts, and may not run out of disk there: what it can't write, it empties."""

    async def missing() -> str | None:
        place = next(one for one in (folder, *folder.parents) if one.exists())
        enough = shutil.disk_usage(place).free >= _ROOM_BYTES
        return None if enough else f"{place} needs {_ROOM_BYTES >> 20} MiB of free disk; it starts when they are there"

    return missing


def jars_folder() -> Path:
    """Where Kafka's jars are kept, beside nobody else's: ``$XDG_CACHE_HOME`` or ``~/.cache``, then a version."""
    return platformdirs.user_cache_path("slipway") / "kafka" / VERSION


def find_jars() -> Path:
    """The folder of Kafka's jars. Raises :class:`NotInstalled` naming the way to get them."""
    folder = jars_folder()
    if not folder.is_dir():
        raise NotInstalled(
            f"found no Kafka {VERSION} in {folder}; fetch it with `scripts/stack install`, "
            "or name a server with SLIPWAY_KAFKA=host:port"
        )
    return folder


def find_java() -> str:
    """The absolute path of java. Raises :class:`NotInstalled`."""
    home = os.environ.get("JAVA_HOME")
    beside = Path(home) / "bin" / "java" if home else None
    found = str(beside) if beside and beside.is_file() else shutil.which("java")
    if found is None:
        raise NotInstalled(
            "found no java in JAVA_HOME or on PATH, which Kafka runs on; install version 17 or newer (Debian: "
            "openjdk-17-jre-headless), or name a server with SLIPWAY_KAFKA=host:port"
        )
    return str(Path(found).absolute())


def _cluster(file: Path, brokers: int) -> str:
    """The id of the cluster that ``file`` tells of, made when it is missing."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({"id": _cluster_id(), "brokers": brokers}), encoding="utf-8")
        draft.replace(file)
    known = json.loads(file.read_text(encoding="utf-8"))
    if known["brokers"] != brokers:
        raise KafkaMisplaced(
            f"{file.parent} is of a cluster of {known['brokers']} brokers, not {brokers}; ask for as many, or name "
            "another folder with --data"
        )
    return str(known["id"])


def _cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in base64; a leading dash would read as an option."""
    while (text := base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")).startswith("-"):
        continue
    return text
