"""`slipway-gateway`: the operator's command.

Here are the verbs of the process and those that ask once; `top` looks again and again, and `rates` says what is between
two looks.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from services.inference_gateway.cli.connect import ADDRESS, TOKEN, connect
from services.inference_gateway.cli.top import top
from services.inference_gateway.config import GatewayConfig
from slipway.cli import ServiceCommand, emit, emit_one, json_option
from slipway.errors import invalid_field

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from slipway.client import EndpointStatus, TenantStatus


def _serve() -> Callable[[GatewayConfig], Coroutine[Any, Any, None]]:
    from services.inference_gateway.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


main = ServiceCommand(
    "slipway-gateway",
    help="Answers applications: endpoints as they run, predictions, and the prediction log's spool.",
    config=GatewayConfig,
    serve=_serve,
).group()

main.add_command(top)
_NONE = "no endpoint is desired; create one with `slipway-registry put-endpoint`"


@main.command("endpoints", epilog="Example: slipway-gateway endpoints --json")
@ADDRESS
@TOKEN
@json_option
def endpoints(address: str | None, token: str | None, as_json: bool) -> None:
    """Show every endpoint's arms as they run here."""
    with connect(address, token) as slipway:
        found = slipway.inference.endpoints()
    emit(_arms(found, as_json=as_json), as_json=as_json, empty=_NONE)


@main.command("routes", epilog="Example: slipway-gateway routes flight-delay --json")
@click.argument("endpoint", required=False)
@ADDRESS
@TOKEN
@json_option
def routes(endpoint: str | None, address: str | None, token: str | None, as_json: bool) -> None:
    """Show who answers an endpoint, who scores in the shadow, and whom this gateway took to zero."""
    with connect(address, token) as slipway:
        found = list(slipway.inference.endpoints())
    if endpoint is not None:
        known = ", ".join(one.name for one in found) or "none"
        found = [one for one in found if one.name == endpoint]
        if not found:
            raise invalid_field("ENDPOINT", f"{endpoint!r} does not run in this gateway; there is {known}")
    rows = [
        {
            "endpoint": one.name,
            "route": arm.name,
            "model": arm.model,
            "version": arm.serving_version or None,
            "weight": arm.weight,
            "shadow": arm.shadow,
            "state": str(arm.state).lower(),
            "disabled_reason": arm.disabled_reason,
        }
        for one in found
        for arm in one.routes
    ]
    emit(rows, as_json=as_json, empty=_NONE)


def _arms(found: Iterable[EndpointStatus], *, as_json: bool) -> list[dict[str, Any]]:
    return [
        {
            "endpoint": one.name,
            "route": arm.name,
            "model": arm.model,
            "desired": arm.desired_version,
            "serving": arm.serving_version,
            "weight": arm.weight,
            "shadow": arm.shadow,
            "state": str(arm.state).lower(),
            "provider": arm.provider if as_json else arm.provider.removesuffix("ExecutionProvider"),
            "worker_pid": arm.worker_pid,
            "reason": arm.reason,
            "disabled_reason": arm.disabled_reason,
        }
        for one in found
        for arm in one.routes
    ]


@main.command(
    "predict",
    epilog="Example: slipway-gateway predict flight-delay --entity carrier=UA --entity origin=EWR "
    "--feature distance_miles=1400 --event-time 2013-06-01T12:00:00Z",
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
@ADDRESS
@TOKEN
@json_option
def predict(
    *,
    endpoint: str,
    features: tuple[str, ...],
    keys: tuple[str, ...],
    event_time: str | None,
    explain: bool,
    prediction_id: str | None,
    address: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Ask an endpoint about one row. A value that reads as a number or true/false is sent as one; quote texts."""
    row, entity = _pairs("--feature", features), _pairs("--entity", keys)
    if prediction_id == "":
        raise invalid_field("--id", "is empty; give an id, or leave the option out")
    with connect(address, token) as slipway:
        [answer] = slipway.inference.predict(
            endpoint,
            [row],
            entity_keys=[entity] if entity else None,
            prediction_ids=[prediction_id] if prediction_id else None,
            event_times=None if event_time is None else _moment(event_time),
            explain=explain,
        )
    facts: dict[str, Any] = {name: values[0] if len(values) == 1 else values for name, values in answer.outputs.items()}
    facts |= {
        "prediction_id": answer.prediction_id,
        "model": answer.model,
        "version": answer.version,
        "route": answer.route,
        "replayed": answer.replayed,
        "degraded": answer.degraded,
        "fallback": answer.fallback,
    }
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


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_field("--event-time", f"{text!r} is no ISO 8601 time, such as 2013-06-01T12:00:00Z") from None
    if moment.tzinfo is None:
        raise invalid_field("--event-time", f"{text!r} has no zone; end it with Z for UTC")
    return moment


def _age(age_s: float | None) -> str:
    return "nothing told" if age_s is None else f"{age_s:g} s"


@main.command("log", epilog="Example: slipway-gateway log --json")
@ADDRESS
@TOKEN
@json_option
def prediction_log(address: str | None, token: str | None, as_json: bool) -> None:
    """Show how the prediction log's spool stands."""
    with connect(address, token) as slipway:
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


@main.command("tenants", epilog="Example: slipway-gateway tenants --json")
@ADDRESS
@TOKEN
@json_option
def tenants(address: str | None, token: str | None, as_json: bool) -> None:
    """Show who may ask here, within which limits, and how they stand since the gateway started."""
    with connect(address, token) as slipway:
        found = slipway.inference.tenants()
    emit([_standing(one) for one in found], as_json=as_json, empty="")


def _standing(tenant: TenantStatus) -> dict[str, Any]:
    return {
        "tenant": tenant.name,
        "weight": tenant.weight,
        "rows_per_s": tenant.rows_per_s,
        "burst_rows": tenant.burst_rows,
        "max_in_flight": tenant.max_in_flight,
        "in_flight": tenant.in_flight,
        "requests": tenant.admitted_requests,
        "rows": tenant.admitted_rows,
        "refused": tenant.refused_requests,
        "operator": tenant.operator,
    }


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
