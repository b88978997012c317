"""Parameters from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slipway.errors import invalid_field

if TYPE_CHECKING:
    from slipway.client import Workflow


def read(given: Sequence[str], workflows: Sequence[Workflow], workflow: str) -> dict[str, Any]:
    """``name=value`` pairs as values: plain text where the workflow takes text, JSON elsewhere.

    Raises InvalidInput about one that is no pair, or is given twice. Whether names and types are right is the
    scheduler's to say.
    """
    types = {one.name: one.type for known in workflows if known.name == workflow for one in known.parameters}
    params: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not name or not equals:
            raise invalid_field("--param", f"{pair!r} is not name=value; write -p rounds=200")
        if name in params:
            raise invalid_field("--param", f"{name!r} is given twice; give it once")
        params[name] = _value(text, types.get(name, ""))
    return params


def _value(text: str, kind: str) -> Any:
    if kind == "str":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
