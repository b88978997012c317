"""The verbs that every service's command has: serve, check-config and, where it has tables, migrate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import click
from pydantic import BaseModel

from slipway import config, failpoints, lifecycle
from slipway.cli.group import Group
from slipway.cli.output import emit_one, json_option

if TYPE_CHECKING:
    from slipway.sql import Migrations

C = TypeVar("C", bound=BaseModel)

_CONFIG = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The TOML file; without it the defaults and the environment serve.",
)


_EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong input, 3 not there, 4 not reachable."


def _never(_: BaseModel) -> float:
    return 0.0


@dataclass(frozen=True)
class ServiceCommand(Generic[C]):
    """Builds a service's command.

    ``config`` is the configuration's class, ``serve`` gives main's coroutine function, imported only when it is
    needed, and ``tables`` the database's URL and migrations of a configuration. ``busy_poll_us`` is how long its event
    loop stays awake for what comes next, see :class:`slipway.lifecycle.BusyPoll`.
    """

    name: str
    help: str
    config: type[C]
    serve: Callable[[], Callable[[C], Coroutine[Any, Any, None]]]
    tables: Callable[[C], tuple[str, Migrations]] | None = None
    busy_poll_us: Callable[[C], float] = _never

    def group(self) -> Group:
        """The command with its common verbs; the caller adds the operator's."""
        group = Group(name=self.name, help=self.help, epilog=_EXIT_CODES)
        group.add_command(self._serve())
        group.add_command(self._check_config())
        if self.tables is not None:
            group.add_command(self._migrate())
        return group

    @property
    def _file(self) -> str:
        """The configuration that a checkout has for it: named as the service's package."""
        return f"deploy/config/{self.config.__module__.split('.')[-2]}.toml"

    def _serve(self) -> click.Command:
        @click.command("serve", epilog=f"Example: {self.name} serve --config {self._file}")
        @_CONFIG
        def serve(file: Path | None, migrate: bool = False) -> None:
            """Serve until SIGTERM or Ctrl-C, then drain."""
            settings = config.load(self.config, file)
            failpoints.check()
            if migrate:
                self._migrated(settings)
            with asyncio.Runner(loop_factory=lifecycle.loop_factory(self.busy_poll_us(settings))) as runner:
                runner.run(self.serve()(settings))

        if self.tables is not None:
            told = "Bring the database to this version's schema first."
            serve = click.option("--migrate", is_flag=True, help=told)(serve)
        return serve

    def _check_config(self) -> click.Command:
        @click.command("check-config", epilog=f"Example: {self.name} check-config --config {self._file} --json")
        @_CONFIG
        @json_option
        def check_config(file: Path | None, as_json: bool) -> None:
            """Read the configuration, say what is wrong with it or show what it comes to."""
            settings = config.load(self.config, file)
            emit_one(settings.model_dump(mode="json"), as_json=as_json)

        return check_config

    def _migrate(self) -> click.Command:
        @click.command("migrate", epilog=f"Example: {self.name} migrate")
        @_CONFIG
        @json_option
        def migrate(file: Path | None, as_json: bool) -> None:
            """Bring the database to this version's schema; safe to run again."""
            emit_one({"applied": self._migrated(config.load(self.config, file))}, as_json=as_json)

        return migrate

    def _migrated(self, settings: C) -> list[str]:
        from slipway import sql  # noqa: PLC0415  (alembic is slow to import)

        assert self.tables is not None  # noqa: S101  (the verb and the flag exist only with tables)
        return sql.migrate(*self.tables(settings))
