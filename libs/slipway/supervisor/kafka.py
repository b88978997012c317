"""The private Kafka: one KRaft node, broker and controller in one, from jars in the user's cache."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from slipway.supervisor.health import kafka_answers
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

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{tcp},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{tcp}
controller.listener.names=CONTROLLER
log.dirs={logs}
# A mistyped topic is an error, not a new topic.
auto.create.topics.enable=false
# One node: what Kafka keeps for itself has one copy, and few partitions to open at a start.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Groups gather at once, and a dead member may be noticed within a second.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# The one voter need not wait for others, nor a broker that was killed for long until its own registration has expired.
controller.quorum.election.timeout.ms=200
controller.quorum.election.backoff.max.ms=100
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
metadata.max.idle.interval.ms=5000
log.cleaner.dedupe.buffer.size=16777216
"""


def kafka_unit(folder: Path, ports: Mapping[str, int], env: Mapping[str, str], log: Path) -> UnitSpec:
    """The Kafka unit on loopback; ``ports``: tcp for clients, controller. Raises :class:`NotInstalled`.

    What was written is there again after a restart, on other ports too.
    """
    java, jars = find_java(), find_jars()
    settings, logs = folder / "server.properties", folder / "logs"
    program = (java, *_JVM, *_LOGGING, "-cp", f"{jars}/*")

    def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.write_text(_SETTINGS.format(**ports, logs=logs), encoding="utf-8")

    def unformatted() -> tuple[str, ...] | None:
        if (logs / "meta.properties").is_file():
            return None
        words = ("format", "--cluster-id", _cluster_id(), "--ignore-formatted", "--config", str(settings))
        return (*program, "kafka.tools.StorageTool", *words)

    address = f"127.0.0.1:{ports['tcp']}"
    return UnitSpec(
        name="kafka",
        command=(*program, "kafka.Kafka", str(settings)),
        env=env,
        endpoints={kind: f"127.0.0.1:{port}" for kind, port in ports.items()},
        probe=kafka_answers(address),
        log=log,
        before=prepare,
        first=unformatted,
    )


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


def _cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in base64; a leading dash would read as an option."""
    while (text := base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")).startswith("-"):
        continue
    return text
