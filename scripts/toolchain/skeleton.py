"""A new service's own files, from ``scripts/templates/service``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scripts.toolchain.tree import Tree

TEMPLATES = "scripts/templates/service"
_SUFFIX = ".tmpl"


@dataclass(frozen=True, slots=True)
class NewService:
    """What tells one new service from another: its name, such as ``quota_ledger``, and its ports."""

    name: str
    port: int
    metrics_port: int

    @property
    def extra(self) -> str:
        """Its extra in pyproject.toml, and the end of its command's name."""
        return self.name.replace("_", "-")

    @property
    def command(self) -> str:
        """Its operator's command."""
        return f"slipway-{self.extra}"

    def words(self) -> dict[str, str]:
        """What each marker in a template stands for."""
        return {
            "service": self.name,
            "area": self.name,
            "Service": "".join(part.capitalize() for part in self.name.split("_")),
            "SERVICE": self.name.upper(),
            "title": self.name.replace("_", " "),
            "command": self.command,
            "port": str(self.port),
            "metrics": str(self.metrics_port),
        }


def render(root: Path, service: NewService) -> Tree:
    """Return the new service's files by their paths; the templates are read from ``root``."""
    words = service.words()
    marker = re.compile("__(" + "|".join(words) + ")__")

    def filled(text: str) -> str:
        return marker.sub(lambda found: words[found[1]], text)

    templates = root / TEMPLATES
    return {
        filled(path.relative_to(templates).as_posix().removesuffix(_SUFFIX)): filled(path.read_text())
        for path in sorted(templates.rglob(f"*{_SUFFIX}"))
    }
