"""The ``scripts/stack`` command: up, status, down, run, kafka, install."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import click

from slipway.cli import Group, json_option
from slipway.config import data_root
from slipway.stack import install as programs
from slipway.stack.kafka_tools import TOOLS, command
from slipway.stack.start import FLEET, say, start
from slipway.supervisor import render, status
from slipway.supervisor.already import join
from slipway.supervisor.options import Options, parse_ports
from slipway.supervisor.state import State
from slipway.supervisor.variables import VARIABLES

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where its data, logs and state are. Default: stack in $SLIPWAY_DATA, or in .slipway in the checkout.",
)


@click.group(cls=Group, epilog='Example: eval "$(scripts/stack up)" && scripts/stack status && scripts/stack down')
def main() -> None:
    """Run Kafka, PostgreSQL and Redis on this machine, on loopback, without containers.

    Exit codes: 0 done, 1 failed, 2 wrong input, 3 not running.
    """


@main.command(
    epilog='\b\nExamples:\n  eval "$(scripts/stack up)"\n'
    "  scripts/stack up --port kafka.tcp=9092 --port postgres.tcp=5432\n"
    "  scripts/stack up --data /var/tmp/second --fast --json"
)
@click.option("--port", "ports", multiple=True, metavar="SERVER.KIND=N", help="Choose a port; else a free one.")
@click.option("--fast", is_flag=True, help="Let PostgreSQL not wait for the disk: what a unit test may lose.")
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", show_default=True, help="Of Kafka.")
@click.option("--timeout", type=click.FloatRange(min=1), default=120, show_default=True, help="Seconds to answer in.")
@data_option
@json_option
def up(*, ports: tuple[str, ...], fast: bool, brokers: str, timeout: float, data: Path | None, as_json: bool) -> None:
    """Start what is not running; returns when everything answers, and prints the lines to export.

    Programs that are missing are fetched first. Servers that SLIPWAY_KAFKA, SLIPWAY_POSTGRES or SLIPWAY_REDIS name
    are used in place of its own. If something does not come to answer, tells what and why, and leaves nothing
    running (1).
    """
    options = _options(_root(data), fast=fast, ports=parse_ports(ports, FLEET), timeout_s=timeout)
    options = options.model_copy(update={"brokers": int(brokers)})
    running = status.current(options.data).all_serving()
    _tell(join(options) if running else start(options, as_json=as_json), as_json=as_json)


@main.command("status", epilog="Example: scripts/stack status --json")
@data_option
@json_option
@click.pass_context
def status_command(ctx: click.Context, data: Path | None, *, as_json: bool) -> None:
    """Show every server: state, pid, restarts, ports; and which ones somebody else runs.

    Exits with 0 when everything answers, 1 when something does not, 3 when nothing runs.
    """
    state = status.current(_root(data))
    if as_json or state.supervisor:
        render.show_state(state, as_json=as_json)
    else:
        click.echo(f"no stack runs on {state.data}; {state.note or 'start it with: scripts/stack up'}")
    if state.supervisor is None:
        ctx.exit(3)
    ctx.exit(0 if state.all_serving() else 1)


@main.command(epilog="Example: scripts/stack down --data /var/tmp/second")
@click.option("--timeout", type=click.FloatRange(min=0), default=60, show_default=True, help="Seconds to stop in.")
@data_option
@json_option
def down(*, timeout: float, data: Path | None, as_json: bool) -> None:
    """Stop the servers of this stack; what they stored stays. After the timeout, kill.

    Exits with 0 when nothing runs any more, also when nothing ran.
    """
    root = _root(data)
    stopped = status.stop(root, timeout, render.DrainWatcher(silent=as_json))
    if not as_json:
        click.echo("down" if stopped else "not running")
        return
    render.show_state(status.current(root), as_json=True)


@main.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: scripts/stack run --fast .venv/bin/python -m pytest tests/contract",
)
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--now", is_flag=True, help="Start it at once, not when the command asks for it.")
@click.option("--fast", is_flag=True, help="Let PostgreSQL not wait for the disk.")
def run(*, words: tuple[str, ...], now: bool, fast: bool) -> None:
    """Run COMMAND with a stack of its own, which is gone when the command ends; exits as the command does.

    The stack is started when the command, or what it starts, asks for it: tests do, by their fixtures.
    """
    from slipway.stack import run as runner  # noqa: PLC0415  (of use to this verb alone)

    raise SystemExit(runner.run(words, _options(Path(), fast=fast), now=now))


@main.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="\b\nExamples:\n  scripts/stack kafka topics --list\n"
    "  scripts/stack kafka console-consumer --topic registry.endpoint.v1 --from-beginning",
)
@click.argument("tool", type=click.Choice(list(TOOLS)))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@data_option
def kafka(*, tool: str, arguments: tuple[str, ...], data: Path | None) -> None:
    """Run one of Kafka's own tools on the stack's brokers; all after TOOL is the tool's, --help too.

    The brokers are those of SLIPWAY_KAFKA, else of the stack, else of the platform that runs here; a
    --bootstrap-server names others.
    """
    words = command(tool, arguments, _root(data))
    os.execv(words[0], words)  # noqa: S606


@main.command(epilog="Example: scripts/stack install")
def install() -> None:
    """Get the programs that are missing, and start nothing: Kafka by Maven, the rest by apt-get where root.

    kcat too, which no server needs: where it can't be had, that is said (0).
    """
    programs.install(VARIABLES, say)
    programs.install_readers(say)


def _options(data: Path, *, fast: bool, ports: dict[str, int] | None = None, timeout_s: float = 120.0) -> Options:
    return Options(
        data=data,
        ports=ports or {},
        timeout_s=timeout_s,
        profile="stack",
        fast=fast,
        without=frozenset({"ray"}),
        fleet=FLEET,
    )


def _tell(state: State, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(state.to_json(), indent=2))
        return
    for name, value in state.servers.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _root(data: Path | None) -> Path:
    return data.expanduser().resolve() if data else data_root() / "stack"
