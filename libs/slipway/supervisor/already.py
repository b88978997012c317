"""``slipway up`` where a supervisor runs already."""

from __future__ import annotations

from slipway.errors import Kind, SlipwayError
from slipway.supervisor.options import Options
from slipway.supervisor.state import State
from slipway.supervisor.status import current, wait_ready


class UpElsewise(SlipwayError):
    """What runs on this data root is not what was asked for, or does not come to serve."""

    kind = Kind.FAILED_PRECONDITION
    reason = "UP_ELSEWISE"


def join(options: Options) -> State:
    """Wait until what runs on the data root serves. Raises :class:`UpElsewise`."""
    moved = _moved(options, current(options.data))
    if moved:
        raise UpElsewise(
            f"already up on {options.data} with other ports ({', '.join(moved)}); stop it first: {options.command} down"
        )
    if (profile := current(options.data).profile) != options.profile:
        raise UpElsewise(
            f"already up on {options.data} in the {profile} profile; stop it first: {options.command} down"
        )
    state = wait_ready(options.data, options.timeout_s)
    if not state.all_serving():
        raise UpElsewise(f"already up on {options.data}, but not everything serves; see {options.command} status")
    return state


def _moved(options: Options, state: State) -> list[str]:
    """The ports asked for that those units do not have, as ``registry.grpc is 127.0.0.1:50051``."""
    running = {
        f"{unit.name}.{kind}": address
        for unit in (*state.services, *state.backing)
        for kind, address in unit.endpoints.items()
    }
    return [
        f"{name} is {running.get(name, 'not there')}"
        for name, port in options.ports.items()
        if port and state.supervisor and running.get(name) != f"127.0.0.1:{port}"
    ]
