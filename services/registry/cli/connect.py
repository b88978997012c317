"""What every verb that asks a running registry has: its address, JSON, and the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import address_option, json_option

if TYPE_CHECKING:
    from slipway.client._sync.registry import Registry

Command = Callable[..., Any]


def verb(name: str, *examples: str, group: str = "") -> Callable[[Command], click.Command]:
    """A command (of ``group``, if given) with ``--address`` and ``--json``, whose help ends with ``examples``."""
    typed = f"slipway-registry {group} {name}" if group else f"slipway-registry {name}"
    lines = "\n".join(f"  {typed} {example}".rstrip() for example in examples)

    def made(function: Command) -> click.Command:
        return click.command(name, epilog=f"\b\nExamples:\n{lines}")(address_option("registry")(json_option(function)))

    return made


@contextmanager
def registry(address: str | None) -> Iterator[Registry]:
    """The registry at ``address``; raises SlipwayError from every call."""
    from slipway.client import Slipway  # noqa: PLC0415  (imports gRPC; help needs none of it)

    with Slipway(registry=address) as slipway:
        yield slipway.registry
