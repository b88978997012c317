"""Fallbacks in the catalogue's words.

Feast's Field has no value of its own for what is missing, so two of its tags say it: ``fallback``, a text that is read
by the field's type, and ``fallback_for``, the statuses that it stands in for, with commas between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from slipway.feast_definitions.refusals import Refusals

VALUE, REPLACES = "fallback", "fallback_for"
_STATUSES = ("null_value", "not_found", "outside_max_age")
_TRUTHS = {"true": True, "false": False}
_BITS = {"int32": 2**31, "int64": 2**63}


def fallback(kind: str, tags: Mapping[str, str], where: str, refusals: Refusals) -> dict[str, Any]:
    """What ``tags`` say of a feature of that type; what can't be said goes to ``refusals``."""
    document: dict[str, Any] = {}
    if (text := tags.get(VALUE)) is not None and kind:
        read, wanted = _READERS[kind]
        try:
            document[VALUE] = read(text)
        except ValueError:
            refusals.add(f"{where}.tags.{VALUE}", f"is {text!r}, but the feature is {kind}; write {wanted}")
    if REPLACES in tags:
        names = [one.strip() for one in tags[REPLACES].split(",")]
        if text is None:
            refusals.add(f"{where}.tags.{REPLACES}", f"is given without {VALUE}; add that tag, or leave this out")
        elif set(names) - set(_STATUSES):
            refusals.add(f"{where}.tags.{REPLACES}", f"is {tags[REPLACES]!r}; write some of {', '.join(_STATUSES)}")
        else:
            document[REPLACES] = names
    return document


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError(text)
    return _TRUTHS[text.lower()]


def _whole(kind: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not -_BITS[kind] <= number < _BITS[kind]:
            raise ValueError(text)
        return number

    return read


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "bool": (_truth, "true or false"),
    "int32": (_whole("int32"), "a whole number of 32 bits, such as 150"),
    "int64": (_whole("int64"), "a whole number of 64 bits, such as 150"),
    "float": (_number, "a finite number, such as 1.5"),
    "double": (_number, "a finite number, such as 1.5"),
    "string": (str, "a text"),
    "timestamp": (_moment, "a moment, such as 2013-01-01T00:00:00Z"),
}
