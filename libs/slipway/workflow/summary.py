"""What a step says of its output, for people."""

from __future__ import annotations

import json
import math
from typing import Any

from slipway.workflow.errors import NotStorable
from slipway.workflow.forms import JsonForm, MappingForm

# So that a run with the most steps, each with the longest summary, still fits into one event of 1 MiB.
MAX_BYTES = 3 * 1024


def summary_of(output: object) -> dict[str, Any]:
    """The mapping that the output's ``summary()`` gives, empty when it has none.

    Raises NotStorable when it is no mapping of JSON values or has over 3 KiB. A figure that is no number (NaN, an
    infinity) is given as text, for JSON has no word for it.
    """
    tell = getattr(output, "summary", None)
    if not callable(tell):
        return {}
    told: dict[str, Any] = _spell(MappingForm(JsonForm()).write("summary", tell(), []))
    size = len(json.dumps(told))
    if size > MAX_BYTES:
        raise NotStorable("summary", f"has {size} bytes as JSON; at most {MAX_BYTES} are kept")
    return told


def _spell(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: _spell(one) for name, one in value.items()}
    return [_spell(one) for one in value] if isinstance(value, list) else value
