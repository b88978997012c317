"""Annotations of steps: their names for people, and whether one fits where another is wanted."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, Union, get_args, get_origin, get_type_hints

from slipway.workflow.errors import BadWorkflow

_UNIONS = (Union, types.UnionType)


def hints(workflow: str, place: str, function: Callable[..., Any] | type) -> dict[str, Any]:
    """The resolved annotations of a function or class. Raises BadWorkflow when a name can't be found."""
    try:
        return get_type_hints(function)
    except (NameError, AttributeError, TypeError) as error:
        text = f"an annotation can't be read ({error}); import its types where the module runs, not for checkers only"
        raise BadWorkflow(workflow, place, text) from error


def type_name(annotation: Any) -> str:
    """``TrainedModel``, ``int | None``, ``list[str]``."""
    if annotation is None or annotation is type(None):
        return "None"
    if get_origin(annotation) in _UNIONS:
        return " | ".join(type_name(one) for one in get_args(annotation))
    if arguments := get_args(annotation):
        inner = ", ".join("..." if one is Ellipsis else type_name(one) for one in arguments)
        return f"{type_name(get_origin(annotation))}[{inner}]"
    return str(getattr(annotation, "__name__", annotation))


def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; anything else is its own one member."""
    return get_args(annotation) if get_origin(annotation) in _UNIONS else (annotation,)


def fits(given: Any, wanted: Any) -> bool:
    """Whether every value of ``given`` may stand where ``wanted`` is asked for."""
    if given == wanted or wanted in (Any, object) or given is Any:
        return True
    if len(members(given)) > 1:
        return all(fits(one, wanted) for one in members(given))
    if len(members(wanted)) > 1:
        return any(fits(given, one) for one in members(wanted))
    if (given, wanted) == (int, float):
        return True
    return _narrower(given, wanted)


def _narrower(given: Any, wanted: Any) -> bool:
    ours, theirs = get_origin(given) or given, get_origin(wanted) or wanted
    if not (isinstance(ours, type) and isinstance(theirs, type) and issubclass(ours, theirs)):
        return False
    have = [one for one in get_args(given) if one is not Ellipsis]
    want = [one for one in get_args(wanted) if one is not Ellipsis]
    return not want or (len(have) == len(want) and all(fits(*pair) for pair in zip(have, want, strict=True)))
