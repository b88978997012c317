"""Starting a stack in the background."""

from __future__ import annotations

import os

import click

from slipway.stack.install import install
from slipway.supervisor import render
from slipway.supervisor.already import join
from slipway.supervisor.fleet import BROKERS, Fleet
from slipway.supervisor.lock import AlreadyUp
from slipway.supervisor.options import Options
from slipway.supervisor.report import Message, Progress, Ready, UpFailed, rebuilt
from slipway.supervisor.state import State
from slipway.supervisor.variables import VARIABLES

FLEET = Fleet(services=(), stop_order=(*BROKERS, "redis", "postgres"))
"""No service, and what backs them."""


def start(options: Options, *, tied: bool = False, as_json: bool = False) -> State:
    """Get the programs that are missing, start what is not running, wait until everything answers.

    ``tied``: it ends when this process does. Speaks on stderr, of a failure alone if ``tied``. Raises what kept it
    from starting, after telling, except ``as_json``, how the logs of the culprits end; nothing runs then.
    """
    from slipway.supervisor import detached  # noqa: PLC0415  (gRPC is slow to import, and of no use to an `up` again)

    def report(message: Message) -> None:
        if not tied or (isinstance(message, Progress) and message.state == "failed"):
            render.show_progress(message)

    install_missing()
    (options.data / "run").mkdir(parents=True, exist_ok=True, mode=0o700)
    verdict = detached.start(options, report, tied=tied)
    if isinstance(verdict, Ready):
        if not tied:
            say(f"everything answers after {verdict.elapsed_s:.1f} s")
    elif verdict.reason != AlreadyUp.reason:
        error = rebuilt(verdict)
        for culprit in error.culprits if isinstance(error, UpFailed) and not as_json else ():
            render.show_culprit(culprit)
        raise error
    return join(options)


def install_missing() -> None:
    """Get the programs of the servers that the environment does not name. Raises NotInstalled."""
    install((name for name, variable in VARIABLES.items() if not os.environ.get(variable)), say)


def say(text: str) -> None:
    """A line on stderr."""
    click.echo(text, err=True)
