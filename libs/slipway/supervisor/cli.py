"""The ``slipway`` command: up, status, down, logs, demo."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from slipway.cli import Group, json_option
from slipway.config import checkout_root, data_root
from slipway.errors import NotFound, invalid_field
from slipway.supervisor import logs, render, status
from slipway.supervisor.already import join
from slipway.supervisor.fleet import BACKING_PORTS, FLEET, PROFILES, Fleet, Profile
from slipway.supervisor.lock import AlreadyUp
from slipway.supervisor.options import Options, parse_ports
from slipway.supervisor.report import Message, Ready, UpFailed, rebuilt

_PARTS = sorted({name.partition("-")[0] for name in BACKING_PORTS})
_UNITS = [*(one.name for one in FLEET.services), *BACKING_PORTS, "supervisor"]

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where data, logs and state are. Default: $SLIPWAY_DATA, else .slipway in the checkout.",
)


@click.group(cls=Group, epilog="Example: slipway up --detach && slipway status && slipway down")
def main() -> None:
    """Run the whole platform on this machine: five services, what backs them, a Ray head.

    Exit codes: 0 done, 1 failed, 2 wrong input, 3 not running.
    """


@main.command(
    epilog="\b\nExamples:\n  slipway up --detach\n  slipway up --port registry.grpc=50061 --without ray\n"
    "  slipway up --detach --free-ports --data /var/tmp/try --json\n  slipway up --profile stack"
)
@click.option("--detach", is_flag=True, help="Return when everything serves; it goes on in the background.")
@click.option("--port", "ports", multiple=True, metavar="SERVICE.KIND=N", help="Move a port; 0 takes a free one.")
@click.option("--free-ports", is_flag=True, help="Take a free port for each that --port does not name.")
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of <service>.toml files. Default: deploy/config in the checkout.",
)
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="embedded",
    show_default=True,
    help="What backs the services: SQLite and Redis, or real Kafka, PostgreSQL and Redis.",
)
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", help="Of Kafka, in the stack profile.")
@click.option("--without", multiple=True, type=click.Choice(_PARTS), help="Leave a part out.")
@click.option("--timeout", type=click.FloatRange(min=1), default=120, show_default=True, help="Seconds to serve in.")
@click.option("--fleet", type=click.Path(path_type=Path, dir_okay=False), hidden=True)
@data_option
@json_option
def up(
    *,
    detach: bool,
    ports: tuple[str, ...],
    free_ports: bool,
    config_dir: Path | None,
    profile: Profile,
    brokers: str,
    without: tuple[str, ...],
    timeout: float,
    fleet: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Start what is not running and keep it running; Ctrl-C drains.

    In the stack profile it uses the servers that SLIPWAY_KAFKA, SLIPWAY_POSTGRES and SLIPWAY_REDIS name, else those
    of the stack that `scripts/stack up` runs on the same data root, else its own, which stop with it.
    When it is up already on this data root, waits until it serves and says so (0), unless --port asks for
    other ports than it has (1). If something does not come to serve, tells what and why, and leaves
    nothing running (1).
    """
    chosen = Fleet.read(fleet) if fleet else FLEET
    options = Options(
        data=_root(data),
        ports=parse_ports(ports, chosen),
        free_ports=free_ports,
        config_dir=config_dir.absolute() if config_dir else None,
        profile=profile,
        brokers=int(brokers),
        without=frozenset(without),
        timeout_s=timeout,
        fleet=chosen,
    )
    _make_root(options.data)
    try:
        _run(options, detach=detach, as_json=as_json)
    except AlreadyUp:
        state = join(options)
        click.echo("already up", err=True)
        render.show_state(state, as_json=as_json)


def _run(options: Options, *, detach: bool, as_json: bool) -> None:
    from slipway.supervisor import detached, up  # noqa: PLC0415  (gRPC is slow to import; status needs none)

    def announce(message: Message) -> None:
        render.show_progress(message)
        if isinstance(message, Ready):
            click.echo(f"everything serves after {message.elapsed_s:.1f} s", err=True)
            render.show_state(status.current(options.data), as_json=as_json)

    try:
        if not detach:
            up.supervise(options, announce)
            return
        verdict = detached.start(options, announce)
        if not isinstance(verdict, Ready):
            raise AlreadyUp(verdict.message) if verdict.reason == AlreadyUp.reason else rebuilt(verdict)
        announce(verdict)
    except UpFailed as error:
        for culprit in () if as_json else error.culprits:
            render.show_culprit(culprit)
        raise


@main.command("status", epilog="Example: slipway status --json")
@data_option
@json_option
@click.pass_context
def status_command(ctx: click.Context, data: Path | None, *, as_json: bool) -> None:
    """Show every service and what backs them: state, pid, restarts, endpoints.

    Exits with 0 when everything serves, 1 when something does not, 3 when nothing runs.
    """
    state = status.current(_root(data))
    render.show_state(state, as_json=as_json)
    if state.supervisor is None:
        ctx.exit(3)
    ctx.exit(0 if state.all_serving() else 1)


@main.command(epilog="Example: slipway down --timeout 60")
@click.option("--timeout", type=click.FloatRange(min=0), default=240, show_default=True, help="Seconds to drain in.")
@data_option
@json_option
def down(*, timeout: float, data: Path | None, as_json: bool) -> None:
    """Drain and stop everything, callers' side first; after the timeout, kill.

    Exits with 0 when nothing runs any more, also when nothing ran.
    """
    root = _root(data)
    watcher = render.DrainWatcher(silent=as_json)
    stopped = status.stop(root, timeout, watcher)
    if not as_json:
        click.echo("down" if stopped else "not running")
        return
    render.show_state(status.current(root), as_json=True)


@main.command(
    "logs",
    epilog="\b\nExamples:\n  slipway logs monitor -n 100\n  slipway logs --follow\n"
    '  slipway logs --json | grep \'"level": "error"\'',
)
@click.argument("unit", required=False, metavar="[UNIT]", type=click.Choice(_UNITS))
@click.option("-n", "lines", type=click.IntRange(min=0), default=20, show_default=True, help="Lines of each log.")
@click.option("--follow", is_flag=True, help="Go on with what is written, until Ctrl-C.")
@data_option
@json_option
def logs_command(*, unit: str | None, lines: int, follow: bool, data: Path | None, as_json: bool) -> None:
    """Print the log of a service, of what backs them, or of the supervisor; of all of them without UNIT.

    Times are in UTC. With --json every line is one JSON object, with all that was logged.
    """
    root = _root(data)
    paths = [logs.log_path(root, name) for name in ([unit] if unit else _UNITS)]
    if not follow and not any(path.is_file() for path in paths):
        raise NotFound(f"no logs under {root / 'log'}; was it ever up there? name another root with --data")
    show = render.LogPrinter(named=unit is None, as_json=as_json)
    ends = {path: logs.size(path) for path in paths}
    for path in paths:
        for line in logs.tail(path, lines, end=ends[path]):
            show(path, line)
    try:
        for path, line in logs.follow(ends) if follow else ():
            show(path, line)
    except KeyboardInterrupt:
        return


@main.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    epilog="Example: slipway demo --full --json result.json",
)
@click.argument("choices", nargs=-1, type=click.UNPROCESSED)
def demo(choices: tuple[str, ...]) -> None:
    """Tell the example's whole story on this machine; --full replays April to December, --help tells the rest."""
    root = checkout_root()
    if root is None or not (root / "examples" / "flights").is_dir():
        raise NotFound("the example is not in this installation; run `slipway demo` from a checkout of the repository")
    os.chdir(root)
    os.execv(sys.executable, [sys.executable, "-m", "examples.flights.quickstart", *choices])  # noqa: S606


def _root(data: Path | None) -> Path:
    return data.expanduser().resolve() if data else data_root()


def _make_root(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        (root / "run").mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise invalid_field("--data", f"{root} can't be made: {error.strerror}; name another folder") from error
