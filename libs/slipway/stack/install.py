"""Getting what a stack runs: Kafka's jars by Maven into the user's cache, the rest from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from slipway.supervisor.kafka import VERSION, find_jars, find_java, jars_folder
from slipway.supervisor.postgres import find_postgres
from slipway.supervisor.redis import NotInstalled, find_redis

_POLICY = Path("/usr/sbin/policy-rc.d")

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>slipway</groupId>
  <artifactId>stack</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
      </exclusions>
    </dependency>
    <!-- Without a binding the broker says nothing, not even why it can't start. -->
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""


def install(servers: Iterable[str], say: Callable[[str], None]) -> None:
    """Get what is missing of ``servers`` (kafka, postgres, redis). Raises :class:`NotInstalled`, naming packages."""
    wanted = set(servers)
    packages = [package for server, package, there in _packages() if server in wanted and not there()]
    if packages:
        _install_packages(packages, say)
    if "kafka" in wanted and not _found(find_jars):
        _fetch_jars(say)


def install_readers(say: Callable[[str], None]) -> None:
    """Get kcat, which reads topics and which no server needs: where it can't be had, say so."""
    if shutil.which("kcat") is None:
        try:
            _install_packages(["kcat"], say)
        except NotInstalled as error:
            say(error.message)


def _packages() -> list[tuple[str, str, Callable[[], bool]]]:
    """Server, Debian package, and whether what it brings is there."""
    return [
        ("kafka", "openjdk-17-jre-headless", lambda: _found(find_java)),
        ("kafka", "maven", lambda: _found(find_jars) or shutil.which("mvn") is not None),
        ("postgres", "postgresql", lambda: _found(find_postgres)),
        ("redis", "redis-server", lambda: _found(find_redis)),
    ]


def _found(find: Callable[[], object]) -> bool:
    with suppress(NotInstalled):
        find()
        return True
    return False


def _install_packages(packages: list[str], say: Callable[[str], None]) -> None:
    names = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotInstalled(f"the stack needs {names} (Debian's names); install them: apt-get install {names}")
    say(f"installing {names}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    with _nothing_started():
        for command in ([*apt, "update"], [*apt, "install", "--yes", "--no-install-recommends", *packages]):
            if subprocess.run(command, env=quiet, stdout=sys.stderr, check=False).returncode:
                raise NotInstalled(f"`{' '.join(command)}` failed: see above; it is safe to try again")


@contextmanager
def _nothing_started() -> Iterator[None]:
    """Have no package start a server of its own: the stack starts its own. Debian asks this file, if it is there."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _fetch_jars(say: Callable[[str], None]) -> None:
    """Fetch Kafka into its folder, whole or not at all; two at once do no harm."""
    folder = jars_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    say(f"fetching Kafka {VERSION} into {folder}")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
        Path(scratch, "pom.xml").write_text(_POM, encoding="utf-8")
        jars = Path(scratch, "jars")
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        if subprocess.run(command, cwd=scratch, stdout=sys.stderr, check=False).returncode:
            raise NotInstalled(f"Maven could not fetch Kafka {VERSION}: see above; it is safe to try again")
        with suppress(FileExistsError):
            _rename(jars, folder)


def _rename(jars: Path, folder: Path) -> None:
    try:
        jars.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
