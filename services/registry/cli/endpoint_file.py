"""An endpoint out of a JSON file, as `slipway-registry endpoint NAME --json` prints one."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from slipway.errors import invalid_field

if TYPE_CHECKING:
    from slipway.client import Endpoint

Body = dict[str, Any]
# What the registry sets; a file that was printed has it.
_SET = frozenset({"name", "revision", "update_time", "rollout", "resolved_version", "resolved_model"})

# What else a default answer stands in for.
_WHEN = ("when_not_ready", "when_features_unavailable")


def endpoint_of(name: str, data: bytes, path: str) -> Endpoint:
    """The endpoint ``name`` that the file at ``path`` wants. Raises InvalidInput about ``--file``."""
    from slipway.client import Endpoint, Experiment, Guardrails, Route  # noqa: PLC0415  (the client; help needs none)

    try:
        body = json.loads(data)
    except ValueError as error:
        raise invalid_field("--file", f"{path} is no JSON: {error}; see `endpoint {name} --json`") from None
    body = _keys("", body, ("routes", "guardrails", "fallback", "sticky_by", "experiment"), _SET)
    rails, fallback, experiment = (body.get(one) for one in ("guardrails", "fallback", "experiment"))
    return Endpoint(
        name,
        tuple(_part(Route, f"routes[{n}]", one) for n, one in enumerate(_list("routes", body.get("routes")))),
        guardrails=_part(Guardrails, "guardrails", rails) if rails else None,
        fallback=_fallback(fallback) if fallback else None,
        sticky_by=tuple(_list("sticky_by", body.get("sticky_by") or [])),
        experiment=_part(Experiment, "experiment", _arms(experiment)) if experiment else None,
    )


def _fallback(body: Any) -> Any:
    from slipway.client import DefaultAnswer, FallbackVersion  # noqa: PLC0415  (the client; help needs none of it)

    if isinstance(body, dict) and "outputs" in body:
        answer = _keys("fallback", body, ("outputs", *_WHEN))
        outputs = answer.pop("outputs")
        if not isinstance(outputs, dict):
            raise invalid_field("--file", "fallback.outputs is no object; give each output's elements by its name")
        for name, also in answer.items():
            if not isinstance(also, bool):
                raise invalid_field("--file", f"fallback.{name} is no truth value; give true or false")
        elements = {name: tuple(_list(f"fallback.outputs.{name}", one)) for name, one in outputs.items()}
        return DefaultAnswer(elements, **answer)
    return _part(FallbackVersion, "fallback", body)


def _arms(body: Any) -> Any:
    return body | {"arms": tuple(_list("experiment.arms", body.get("arms")))} if isinstance(body, dict) else body


def _part(kind: Any, field: str, body: Any) -> Any:
    known = tuple(one.name for one in fields(kind) if one.name == "name" or one.name not in _SET)
    try:
        return kind(**_keys(field, body, known, _SET - {"name"}))
    except TypeError as error:
        raise invalid_field("--file", f"{field}: {error}; it has {', '.join(known)}") from None


def _keys(field: str, body: Any, known: tuple[str, ...], ignored: frozenset[str] = frozenset()) -> Body:
    where = field or "the file"
    if not isinstance(body, dict):
        raise invalid_field("--file", f"{where} is no object; give one with {', '.join(known)}")
    if unknown := sorted(set(body) - set(known) - ignored):
        raise invalid_field("--file", f"{where} has {', '.join(unknown)}; it may have {', '.join(known)}")
    return {name: value for name, value in body.items() if name in known}


def _list(field: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise invalid_field("--file", f"{field} is no list; give one")
    return value
