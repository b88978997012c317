"""`slipway-gateway`: the operator's command.

Here are the verbs of the process and those that ask once how it stands; `predict` asks for answers, `top` looks again
and again, and `rates` says what is between two looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from services.inference_gateway.cli.connect import ADDRESS, TOKEN, connect
from services.inference_gateway.cli.predict import predict
from services.inference_gateway.cli.top import top
from services.inference_gateway.config import GatewayConfig
from slipway.cli import ServiceCommand, emit, emit_one, json_option
from slipway.errors import invalid_field

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from slipway.client import EndpointStatus, TenantStatus


def _serve() -> Callable[[GatewayConfig], Coroutine[Any, Any, None]]:
    from services.inference_gateway.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


main = ServiceCommand(
    "slipway-gateway",
    help="Answers applications: endpoints as they run, predictions, and the prediction log's spool.",
    config=GatewayConfig,
    serve=_serve,
    busy_poll_us=lambda config: config.busy_poll_us,
).group()

main.add_command(predict)
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
