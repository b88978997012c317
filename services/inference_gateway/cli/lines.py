"""Lines of JSON to questions of a stream, and its answers to lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import exit_code, figures
from slipway.errors import SlipwayError, invalid_field

if TYPE_CHECKING:
    from slipway.client import Prediction, Question, Slipway

_KEYS = ("features", "entity", "event_time", "id")


def answer_lines(slipway: Slipway, endpoint: str, lines: Iterable[bytes], *, explain: bool, as_json: bool) -> None:
    """Print what becomes of each line, as it is known. Ends the command when one of them got no answer.

    Raises what the stream itself ends by.
    """
    told = _Told(as_json=as_json, explain=explain)
    with slipway.inference.stream_predict(endpoint, _questions(endpoint, lines, told, explain=explain)) as answers:
        for one in answers:
            if one.error is not None:
                told.failed(int(one.correlation_id), one.error)
            else:
                told.answered(int(one.correlation_id), one.predictions[0])
    if told.first_error is not None:
        raise SystemExit(exit_code(told.first_error))


class _Told:
    """What was printed; lines that are no questions are told by the thread that reads them."""

    def __init__(self, *, as_json: bool, explain: bool) -> None:
        self._as_json = as_json
        self._explain = explain
        self._lock = threading.Lock()
        self._first = 0
        self.first_error: SlipwayError | None = None
        """Of the first line, by its number, that got no answer."""

    def answered(self, number: int, answer: Prediction) -> None:
        if self._as_json:
            facts = facts_of(answer) | {"feature_ages": dict(answer.feature_ages)}
            if self._explain:
                facts["attributions"] = dict(answer.attributions)
            self._print({"line": number} | facts)
            return
        marks = [name for name in ("replayed", "degraded", "fallback") if getattr(answer, name)]
        outputs = figures({name: _single(values) for name, values in answer.outputs.items()})
        did = {f"{name} did": _single(values) for name, values in answer.attributions.items()}
        parts = [outputs, f"{answer.model}/{answer.version}", answer.route, answer.prediction_id, *marks, figures(did)]
        self._print(f"{number}  {'  '.join(part for part in parts if part)}")

    def failed(self, number: int, error: SlipwayError) -> None:
        if self.first_error is None or number < self._first:
            self._first, self.first_error = number, error
        if self._as_json:
            violations = [{"field": one.field, "description": one.description} for one in error.violations]
            facts = {"kind": error.kind.value, "reason": error.reason, "message": error.message}
            self._print({"line": number, "error": facts | {"violations": violations}})
        else:
            self._print(f"line {number}: {error.message}", err=True)

    def _print(self, one: str | Mapping[str, Any], *, err: bool = False) -> None:
        with self._lock:
            click.echo(one if isinstance(one, str) else json.dumps(one), err=err)


def _questions(endpoint: str, lines: Iterable[bytes], told: _Told, *, explain: bool) -> Iterator[Question]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = _question(endpoint, line, str(number), explain=explain)
        except SlipwayError as error:
            told.failed(number, error)
        else:
            yield question


def _question(endpoint: str, line: bytes, number: str, *, explain: bool) -> Question:
    """Raises InvalidInput where the line is no question."""
    from slipway.client import Question  # noqa: PLC0415  (grpc is slow to import; help needs none)
    from slipway.client.codec.columns import from_rows  # noqa: PLC0415
    from slipway.client.codec.inference import predict_request  # noqa: PLC0415

    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise invalid_field("line", f"is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid_field("line", f"is no object; give one with {', '.join(_KEYS)}")
    if unknown := sorted(set(body) - set(_KEYS)):
        raise invalid_field("line", f"has {', '.join(unknown)[:100]}; it may have {', '.join(_KEYS)}")
    row, entity = _object(body, "features"), _object(body, "entity")
    told_at, name = body.get("event_time"), body.get("id")
    if name is not None and not (isinstance(name, str) and name):
        raise invalid_field("id", "is no text; give one, or leave it out")
    names = None if name is None else [name]
    at = None if told_at is None else moment("event_time", told_at)
    # What can't be sent is this line's fault; found out while it is sent, it would end the stream.
    keys = from_rows([entity], "entity", keep=True)
    predict_request(endpoint, from_rows([row], "features"), 1, entity_keys=keys, prediction_ids=names, event_times=at)
    return Question([row], [entity] if entity else None, names, at, correlation_id=number, explain=explain)


def _object(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_field(key, "is no object; give names and values")
    return value


def moment(field: str, text: object) -> datetime:
    """A moment with its zone. Raises InvalidInput about ``field``."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise invalid_field(field, f"{text!r} is no ISO 8601 time, such as 2013-06-01T12:00:00Z") from None
    if found.tzinfo is None:
        raise invalid_field(field, f"{text!r} has no zone; end it with Z for UTC")
    return found


def facts_of(answer: Prediction) -> dict[str, Any]:
    """An answer by name; an output of one element is that element."""
    facts: dict[str, Any] = {name: _single(values) for name, values in answer.outputs.items()}
    return facts | {
        "prediction_id": answer.prediction_id,
        "model": answer.model,
        "version": answer.version,
        "route": answer.route,
        "replayed": answer.replayed,
        "degraded": answer.degraded,
        "fallback": answer.fallback,
    }


def _single(values: Any) -> Any:
    return values[0] if len(values) == 1 else values
