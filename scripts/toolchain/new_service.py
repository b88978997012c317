"""``scripts/new-service``: a service that serves one noun in memory, wired in, checked and tested."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence

from scripts.toolchain import tree, wiring
from scripts.toolchain.skeleton import NewService, render
from slipway.supervisor.fleet import FLEET

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 32


class Refused(Exception):
    """The service can't be made as asked; the message says what to change."""


def choose(name: str, port: int | None) -> NewService:
    """Return the new service with its ports, ``port`` or the next free ones; raises ``Refused``."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise Refused(f"NAME {name!r}: use lower-case words joined by '_', at most {_LONGEST} characters")
    for folder in (tree.ROOT / "services" / name, tree.ROOT / "protos/slipway" / name):
        if folder.exists():
            raise Refused(f"NAME {name!r}: {folder.relative_to(tree.ROOT)} exists; choose another name")
    taken = {number for service in FLEET.services for number in service.ports.values()}
    if port is not None and (port in taken or not 1024 <= port <= 65535):
        raise Refused(f"--port {port}: use a port from 1024 to 65535 that no other service has")
    metrics = max(service.ports["metrics"] for service in FLEET.services)
    following = 1 + max(service.ports["grpc"] for service in FLEET.services)
    return NewService(name, port or following, metrics + 1)


def make(service: NewService) -> list[str]:
    """Write the service's files and wire them in; returns the new paths. Raises ``wiring.NoPlace``."""
    files = render(tree.ROOT, service)
    changed = wiring.wire(tree.ROOT, service)
    for path, text in files.items():
        target = tree.ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    # Generated first: imports are sorted by what exists.
    _run([sys.executable, "-m", "scripts.toolchain.generate"])
    sources = [path for path in (*files, *changed) if path.endswith(".py")]
    # A longer or shorter name moves imports and line breaks.
    _run([sys.executable, "-m", "ruff", "check", "--quiet", "--select", "I", "--fix", *sources])
    _run([sys.executable, "-m", "ruff", "format", "--quiet", *sources])
    return list(files)


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=tree.ROOT, check=True)


def main() -> int:
    """Make the service that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/new-service", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="lower-case words joined by '_', such as quota_ledger")
    parser.add_argument("--port", type=int, help="its gRPC port; without it the next free one")
    wanted = parser.parse_args()
    try:
        service = choose(wanted.name, wanted.port)
        paths = make(service)
    except (Refused, wiring.NoPlace) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    print("\n".join(paths))
    print(f"\n{service.name} serves items on port {service.port}. Next:")
    print(f"  scripts/check && scripts/test tests/wire/test_{service.name}.py")
    print(f"  .venv/bin/{service.command} serve")
    print(f"  services/{service.name}/__init__.py: write its charter, then give items their real name")
    return 0


if __name__ == "__main__":
    sys.exit(main())
