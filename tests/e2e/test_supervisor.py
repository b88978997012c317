"""``slipway up | status | down | logs`` with stand-in services and a real Redis."""

from __future__ import annotations

import json
import os
import select
import signal
import socket

from slipway.supervisor import discover
from slipway.supervisor.fleet import FLEET

NAMES = ["registry", "feature_serving", "training_scheduler", "inference_gateway", "monitor"]


def test_up_status_down(slipway):
    up = slipway.up()
    assert [one["name"] for one in up["services"]] == NAMES
    assert [one["name"] for one in up["backing"]] == ["redis"]
    assert {one["state"] for one in (*up["services"], *up["backing"])} == {"serving"}
    assert (up["profile"], up["data"], up["supervisor"]["ready"]) == ("embedded", str(slipway.data), True)
    assert set(up["services"][3]["endpoints"]) == {"grpc", "http", "metrics"}
    assert slipway.run("status").returncode == 0
    assert discover("registry", data=slipway.data) == up["services"][0]["endpoints"]["grpc"]
    assert discover("registry", "http", slipway.data) is None

    down = slipway.run("down", "--json")
    assert down.returncode == 0
    assert json.loads(down.stdout)["supervisor"] is None
    order = [line.split()[0] for line in slipway.journal() if line.endswith("drained")]
    assert order == [name for name in FLEET.stop_order if name in NAMES]
    assert slipway.left() == []
    assert not (slipway.data / "run" / "state.json").exists()
    assert discover("registry", data=slipway.data) is None
    assert slipway.run("status").returncode == 3
    assert slipway.run("down").stdout == "not running\n"


def test_services_get_their_addresses_and_migrate_first(slipway, tmp_path):
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "registry.toml").touch()
    up = slipway.up("--config-dir", str(configs), "--without", "ray")
    told = json.loads((slipway.control / "registry.json").read_text())
    env, endpoints = told["env"], {one["name"]: one["endpoints"] for one in (*up["services"], *up["backing"])}
    assert told["argv"][-4:] == ["serve", "--migrate", "--config", str(configs / "registry.toml")]
    assert env["SLIPWAY_REGISTRY_GRPC_LISTEN"] == endpoints["registry"]["grpc"]
    assert env["SLIPWAY_REGISTRY_METRICS_LISTEN"] == endpoints["registry"]["metrics"]
    assert env["SLIPWAY_INFERENCE_GATEWAY_ADDRESS"] == endpoints["inference_gateway"]["grpc"]
    assert env["SLIPWAY_REDIS"] == f"redis://{endpoints['redis']['tcp']}/0"
    assert env["SLIPWAY_EVENTS"] == f"sqlite:///{slipway.data}/events/log.db"
    journal = slipway.journal()
    assert journal.index("registry migrate") < journal.index("registry serve")
    assert "inference_gateway migrate" not in journal


def test_what_is_killed_is_restarted_and_its_workers_end(slipway, wait):
    slipway.up()
    before = slipway.unit("registry")
    worker = int((slipway.control / "registry.worker").read_text())
    os.kill(before["pid"], signal.SIGKILL)
    wait(lambda: slipway.unit("registry")["restarts"] == 1 and slipway.unit("registry")["state"] == "serving")
    after = slipway.unit("registry")
    assert (after["pid"] != before["pid"], after["endpoints"]) == (True, before["endpoints"])
    assert (after["exit_code"], after["reason"]) == (-9, None)
    assert worker not in slipway.left()
    assert slipway.unit("monitor")["restarts"] == 0


def test_killed_redis_comes_back_on_its_port(slipway, wait):
    slipway.up()
    before = slipway.unit("redis")
    os.kill(before["pid"], signal.SIGKILL)
    wait(lambda: slipway.unit("redis")["restarts"] == 1 and slipway.unit("redis")["state"] == "serving")
    assert slipway.unit("redis")["endpoints"] == before["endpoints"]


def test_hung_service_stops_counting_as_serving_then_is_replaced(slipway, wait):
    slipway.fleet.write_text(slipway.fleet.read_text().replace("hung_s = 60.0", "hung_s = 8.0"))
    slipway.up()
    mute = slipway.control / "monitor.mute"
    mute.touch()
    wait(lambda: slipway.unit("monitor")["state"] == "starting")
    assert "NOT_SERVING" in slipway.unit("monitor")["reason"]
    assert slipway.run("status").returncode == 1
    wait(lambda: slipway.unit("monitor")["restarts"] == 1)
    mute.unlink()
    wait(lambda: slipway.unit("monitor")["state"] == "serving")


def test_killed_supervisor_takes_its_children_along_and_up_works_again(slipway, wait):
    first = slipway.up()
    os.kill(first["supervisor"]["pid"], signal.SIGKILL)
    children = {one["pid"] for one in (*first["services"], *first["backing"])}
    wait(lambda: not children & set(slipway.left()))
    stale = slipway.run("status", "--json")
    assert stale.returncode == 3
    assert f"pid {first['supervisor']['pid']}) died" in json.loads(stale.stdout)["note"]
    assert discover("registry", data=slipway.data) is None
    orphan = int((slipway.control / "registry.worker").read_text())
    assert orphan in slipway.left()  # a service's own worker, in a session of its own
    second = slipway.up()
    assert second["supervisor"]["pid"] != first["supervisor"]["pid"]
    assert orphan not in slipway.left()


def test_failing_service_fails_up_and_leaves_nothing(slipway):
    (slipway.control / "monitor.refuse").write_text("7")
    done = slipway.run("up", "--detach", "--free-ports", "--without", "ray")
    assert done.returncode == 1
    assert "not serving: monitor" in done.stderr
    assert "exited with code 7; its log" in done.stderr
    assert "| monitor refuses to serve" in done.stderr
    assert slipway.journal().count("monitor serve") == 2
    assert slipway.left() == []
    assert not (slipway.data / "run" / "state.json").exists()
    assert slipway.run("status").returncode == 3


def test_refused_configuration_is_not_retried(slipway):
    (slipway.control / "inference_gateway.refuse").write_text("2")
    done = slipway.run("up", "--detach", "--json", "--free-ports", "--without", "ray")
    assert done.returncode == 1
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (error["reason"], error["facts"]) == ("UP_FAILED", {"inference_gateway": "exited with code 2"})
    assert slipway.journal().count("inference_gateway serve") == 1


def test_up_that_takes_too_long_fails_and_leaves_nothing(slipway):
    (slipway.control / "registry.mute").touch()
    done = slipway.run("up", "--detach", "--free-ports", "--without", "ray", "--timeout", "3")
    assert done.returncode == 1
    assert "not serving: registry" in done.stderr
    assert slipway.left() == []


def test_up_twice_says_so(slipway):
    first = slipway.up()
    again = slipway.run("up", "--detach", "--json", "--free-ports", "--without", "ray")
    assert again.returncode == 0
    assert "already up" in again.stderr
    assert json.loads(again.stdout)["supervisor"]["pid"] == first["supervisor"]["pid"]
    other = slipway.run("up", "--port", "registry.grpc=50999")
    assert other.returncode == 1
    assert "other ports (registry.grpc is 127.0.0.1:" in other.stderr


def test_taken_port_is_refused_before_anything_starts(slipway):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = slipway.run("up", "--detach", "--free-ports", "--port", f"monitor.grpc={port}")
    assert done.returncode == 1
    assert f"port {port}, the grpc port of monitor" in done.stderr
    assert f"pid {os.getpid()} " in done.stderr
    assert "--port monitor.grpc=N" in done.stderr
    assert slipway.journal() == []


def test_foreground_drains_once_on_ctrl_c(slipway, wait):
    process = slipway.start("up", "--free-ports", "--without", "ray")
    wait(lambda: (slipway.data / "run" / "state.json").exists() and slipway.status()["supervisor"]["ready"])
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole foreground group
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "everything serves after" in output
    assert sorted(line for line in slipway.journal() if line.endswith("drained")) == sorted(
        f"{name} drained" for name in NAMES
    )
    assert slipway.left() == []


def test_down_during_up_ends_both(slipway, wait):
    (slipway.control / "registry.mute").touch()
    process = slipway.start("up", "--detach", "--free-ports", "--without", "ray")
    wait(lambda: "registry serve" in slipway.journal())
    assert slipway.run("down").stdout == "down\n"
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "asked to stop before everything served" in output


def test_down_kills_what_does_not_drain(slipway):
    (slipway.control / "registry.deaf").touch()
    slipway.up()
    assert slipway.run("down", "--timeout", "5").returncode == 0
    assert "registry term" in slipway.journal()
    assert slipway.left() == []


def test_logs(slipway, wait):
    assert slipway.run("logs").returncode == 3
    slipway.up()
    assert slipway.run("logs", "monitor").stdout == "monitor serves\n"
    everything = slipway.run("logs", "-n", "1").stdout
    assert "registry           | registry serves\n" in everything
    assert slipway.run("logs", "nobody").returncode == 2
    follower = slipway.start("logs", "registry", "-n", "1", "--follow")
    for _ in range(2):  # what was there, then what the restarted service writes
        wait(lambda: select.select([follower.stdout], [], [], 0)[0])
        assert follower.stdout.readline() == "registry serves\n"
        os.kill(slipway.unit("registry")["pid"], signal.SIGKILL)
