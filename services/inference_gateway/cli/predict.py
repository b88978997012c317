"""`slipway-gateway predict`: one row, or the lines of a stream."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import BinaryIO

import click

from services.inference_gateway.cli.connect import ADDRESS, TOKEN, connect
from services.inference_gateway.cli.lines import answer_lines, facts_of, moment
from slipway.cli import emit_one, json_option
from slipway.errors import invalid_field


@click.command(
    "predict",
    epilog="Examples: slipway-gateway predict flight-delay --entity carrier=UA --entity origin=EWR "
    "--feature distance_miles=1400 --event-time 2013-06-01T12:00:00Z; "
    'echo \'{"entity": {"carrier": "UA"}, "features": {"distance_miles": 1400}}\' '
    "| slipway-gateway predict flight-delay --stream - --json",
)
@click.argument("endpoint")
@click.option("-f", "--feature", "features", multiple=True, metavar="NAME=VALUE", help="A feature; empty means absent.")
@click.option(
    *("-k", "-e", "--key", "--entity", "keys"),
    multiple=True,
    metavar="NAME=VALUE",
    help="An entity key: features that are not given are read online by it.",
)
@click.option("--event-time", metavar="ISO", help="The moment asked about, with its zone; now when left out.")
@click.option("--explain", is_flag=True, help="Say what each column did to the answer.")
@click.option("--id", "prediction_id", help="The prediction's id; repeat it to get the same answer again.")
@click.option(
    "--stream",
    type=click.File("rb"),
    metavar="FILE",
    help="Ask about every line of a file (- is stdin): a JSON object with features, entity, event_time and id, "
    "of which all may be left out. Answers come as they are ready, each with its line's number.",
)
@ADDRESS
@TOKEN
@json_option
def predict(
    *,
    endpoint: str,
    stream: BinaryIO | None,
    features: tuple[str, ...],
    keys: tuple[str, ...],
    event_time: str | None,
    explain: bool,
    prediction_id: str | None,
    address: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Ask an endpoint about one row, or with --stream about many.

    A value that reads as a number or true/false is sent as one; quote texts. A line of a stream that gets no answer is
    told, and the others go on; the command then ends as the first such line alone would.
    """
    if stream is not None:
        if features or keys or event_time is not None or prediction_id is not None:
            raise invalid_field("--stream", "gives the rows; leave out --feature, --entity, --event-time and --id")
        # A file of its own: one that ends early is still being read, and Python can not close its stdin under that.
        with connect(address, token) as slipway:
            lines = os.fdopen(os.dup(stream.fileno()), "rb")
            answer_lines(slipway, endpoint, lines, explain=explain, as_json=as_json)
        return
    row, entity = _pairs("--feature", features), _pairs("--entity", keys)
    if prediction_id == "":
        raise invalid_field("--id", "is empty; give an id, or leave the option out")
    with connect(address, token) as slipway:
        [answer] = slipway.inference.predict(
            endpoint,
            [row],
            entity_keys=[entity] if entity else None,
            prediction_ids=[prediction_id] if prediction_id else None,
            event_times=None if event_time is None else moment("--event-time", event_time),
            explain=explain,
        )
    facts = facts_of(answer)
    if as_json:
        if explain:
            facts["attributions"] = dict(answer.attributions)
        facts["feature_ages"] = dict(answer.feature_ages)
    else:
        facts |= {f"age of {view}": _age(age_s) for view, age_s in answer.feature_ages.items()}
        facts |= {
            f"{name} did": did[0] if len(did) == 1 else did
            for name, did in sorted(answer.attributions.items(), key=lambda one: -max(map(abs, one[1])))
        }
    emit_one(facts, as_json=as_json)


def _age(age_s: float | None) -> str:
    return "nothing told" if age_s is None else f"{age_s:g} s"


def _pairs(field: str, texts: Sequence[str]) -> dict[str, bool | int | float | str | None]:
    pairs: dict[str, bool | int | float | str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise invalid_field(field, f"{text!r} is not NAME=VALUE, such as carrier=UA")
        if name in pairs:
            raise invalid_field(field, f"{name!r} is given twice; give it once")
        pairs[name] = _value(value)
    return pairs


def _value(text: str) -> bool | int | float | str | None:
    if not text:
        return None
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
