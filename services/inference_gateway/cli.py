"""`slipway-gateway`: the operator's command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from services.inference_gateway.config import GatewayConfig
from slipway.cli import ServiceCommand, address_option, emit, emit_one, json_option
from slipway.errors import invalid_field

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from slipway.client import Slipway


def _serve() -> Callable[[GatewayConfig], Coroutine[Any, Any, None]]:
    from services.inference_gateway.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


main = ServiceCommand(
    "slipway-gateway",
    help="Answers applications: endpoints as they run, predictions, and the prediction log's spool.",
    config=GatewayConfig,
    serve=_serve,
).group()

_ADDRESS = address_option("inference_gateway")


def _connect(address: str | None) -> Slipway:
    from slipway.client import Slipway  # noqa: PLC0415  (grpc is slow to import)

    return Slipway(gateway=address)


@main.command("endpoints", epilog="Example: slipway-gateway endpoints --json")
@_ADDRESS
@json_option
def endpoints(address: str | None, as_json: bool) -> None:
    """Show every endpoint's arms as they run here."""
    with _connect(address) as slipway:
        found = slipway.inference.endpoints()
    rows = [
        {
            "endpoint": one.name,
            "route": arm.name,
            "model": arm.model,
            "desired": arm.desired_version,
            "serving": arm.serving_version,
            "weight": arm.weight,
            "state": str(arm.state).lower(),
            "provider": arm.provider if as_json else arm.provider.removesuffix("ExecutionProvider"),
            "worker_pid": arm.worker_pid,
            "reason": arm.reason,
        }
        for one in found
        for arm in one.routes
    ]
    emit(rows, as_json=as_json, empty="no endpoint is desired; create one with `slipway-registry put-endpoint`")


@main.command(
    "predict",
    epilog="Example: slipway-gateway predict flight-delay -f carrier=UA -f distance_miles=1400 -f plane_year=",
)
@click.argument("endpoint")
@click.option("-f", "--feature", "features", multiple=True, metavar="NAME=VALUE", help="A feature; empty means absent.")
@click.option("-k", "--key", "keys", multiple=True, metavar="NAME=VALUE", help="An entity key.")
@click.option("--id", "prediction_id", help="The prediction's id; repeat it to get the same answer again.")
@_ADDRESS
@json_option
def predict(
    *,
    endpoint: str,
    features: tuple[str, ...],
    keys: tuple[str, ...],
    prediction_id: str | None,
    address: str | None,
    as_json: bool,
) -> None:
    """Ask an endpoint about one row. A value that reads as a number or true/false is sent as one; quote texts."""
    row, entity = _pairs("--feature", features), _pairs("--key", keys)
    if prediction_id == "":
        raise invalid_field("--id", "is empty; give an id, or leave the option out")
    with _connect(address) as slipway:
        [answer] = slipway.inference.predict(
            endpoint,
            [row],
            entity_keys=[entity] if entity else None,
            prediction_ids=[prediction_id] if prediction_id else None,
        )
    facts: dict[str, Any] = {name: values[0] if len(values) == 1 else values for name, values in answer.outputs.items()}
    facts |= {
        "prediction_id": answer.prediction_id,
        "model": answer.model,
        "version": answer.version,
        "route": answer.route,
        "replayed": answer.replayed,
    }
    emit_one(facts, as_json=as_json)


@main.command("log", epilog="Example: slipway-gateway log --json")
@_ADDRESS
@json_option
def prediction_log(address: str | None, as_json: bool) -> None:
    """Show how the prediction log's spool stands."""
    with _connect(address) as slipway:
        spool = slipway.inference.prediction_log()
    emit_one(
        {
            "pending_batches": spool.pending_batches,
            "pending_bytes": spool.pending_bytes,
            "limit_bytes": spool.limit_bytes,
            "dropped_predictions": spool.dropped_predictions,
        },
        as_json=as_json,
    )


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
