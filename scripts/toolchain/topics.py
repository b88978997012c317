"""The platform's topics, as the contracts' comments name them: the one list of them."""

from __future__ import annotations

import re
from pathlib import Path

_EVENTS = "protos/slipway/*/v1/events.proto"
_PACKAGE = re.compile(r"^package ([\w.]+);$", re.MULTILINE)
_EVENT = re.compile(r"^// On `([^`]+)`, key = .+\n(?://.*\n)*message (\w+) \{$", re.MULTILINE)


def topics(root: Path) -> dict[str, str]:
    """By topic the full name of the message that its events carry."""
    found: dict[str, str] = {}
    for path in sorted(root.glob(_EVENTS)):
        text = path.read_text()
        [package] = _PACKAGE.findall(text)
        found |= {topic: f"{package}.{message}" for topic, message in _EVENT.findall(text)}
    return found
