from __future__ import annotations

import tomllib
from typing import Any

import pytest
import starlark

from scripts.toolchain.tree import ROOT
from slipway.supervisor.fleet import FLEET

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    """What the Tiltfile declares, by name: evaluated as Starlark with Tilt's own functions recorded."""
    declared: dict[str, Resource] = {}

    def local_resource(name: str, **settings: Any) -> None:
        assert name not in declared
        declared[name] = settings

    module = starlark.Module()
    module.add_callable("local_resource", local_resource)
    module.add_callable("probe", dict)
    module.add_callable("exec_action", lambda command: {"command": command})
    module.add_callable("tcp_socket_action", lambda port, host: {"port": port, "host": host})
    dialect = starlark.Dialect.standard()
    dialect.enable_top_level_stmt = True
    tiltfile = starlark.parse("Tiltfile", (ROOT / "Tiltfile").read_text(), dialect=dialect)
    starlark.eval(module, tiltfile, starlark.Globals.standard())
    return declared


def test_there_is_one_resource_for_each_service_of_the_fleet(resources: dict[str, Resource]) -> None:
    assert list(resources) == ["setup", "redis", *(service.name for service in FLEET.services)]


@pytest.mark.parametrize("service", FLEET.services, ids=lambda service: service.name)
def test_a_service_is_served_by_its_own_command_and_probed_at_its_port(
    resources: dict[str, Resource], service: Any
) -> None:
    resource = resources[service.name]
    assert resource["serve_cmd"].startswith(f"exec .venv/bin/{service.command[0]} serve ")
    assert bool(resource["cmd"]) is service.tables
    assert resource["readiness_probe"]["exec"]["command"][-1] == f"127.0.0.1:{service.ports['grpc']}"


def test_no_service_waits_for_another(resources: dict[str, Resource]) -> None:
    names = {service.name for service in FLEET.services}
    waits = {name: names & set(settings.get("resource_deps", [])) for name, settings in resources.items()}
    assert not any(waits.values())


def test_every_command_is_a_console_script() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {service.command[0] for service in FLEET.services} <= project["scripts"].keys()
