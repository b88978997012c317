"""The lines that make a new service known: its command, its extra, the embedded fleet, Tilt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.toolchain.skeleton import NewService


class NoPlace(Exception):
    """A file has changed so that the line's place is not found; the message names both."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """``text`` goes into ``path`` right after the last match of ``after``, a multi-line regular expression."""

    path: str
    after: str
    text: str

    def into(self, content: str) -> str:
        """Return ``content`` with the text in its place; raises ``NoPlace``."""
        matches = list(re.finditer(self.after, content, re.MULTILINE))
        if not matches:
            raise NoPlace(f"{self.path}: found no place for {self.text.strip()!r}; add it by hand")
        end = matches[-1].end()
        return content[:end] + self.text + content[end:]


def insertions(service: NewService) -> Sequence[Insertion]:
    """Return every line that a new service needs outside its own folder."""
    name, extra, command = service.name, service.extra, service.command
    ports = f'{{"grpc": {service.port}, "metrics": {service.metrics_port}}}'
    fleet = "libs/slipway/supervisor/fleet.py"
    return [
        Insertion(
            "pyproject.toml",
            r'^slipway-[a-z-]+ = "services\.\w+\.cli:main"\n',
            f'{command} = "services.{name}.cli:main"\n',
        ),
        Insertion("pyproject.toml", r'^[a-z-]+ = \["slipway\[server\]".*\]\n', f'{extra} = ["slipway[server]"]\n'),
        Insertion("pyproject.toml", r'^embedded = \[\n  "slipway\[[a-z,-]+', f",{extra}"),
        Insertion(
            "Tiltfile", r"^    \(.*(?:True|False)\),\n", f'    ("{name}", "{command}", {service.port}, False),\n'
        ),
        Insertion(
            fleet,
            r"^    services=\((?:\n {8}.*)+\n",
            f'        Service(name="{name}", command=("{command}",), ports={ports}, tables=False),\n',
        ),
        Insertion(fleet, r"^    stop_order=\(\n", f'        "{name}",\n'),
    ]


def wire(root: Path, service: NewService) -> list[str]:
    """Put the lines in; all or none; returns the paths that changed. Raises ``NoPlace``."""
    contents: dict[str, str] = {}
    for insertion in insertions(service):
        content = contents.get(insertion.path) or (root / insertion.path).read_text()
        contents[insertion.path] = insertion.into(content)
    for path, content in contents.items():
        (root / path).write_text(content)
    return list(contents)
