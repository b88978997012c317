"""A real Ray head under the supervisor: one test, for a head takes seconds to start."""

from __future__ import annotations

import os
import signal
import urllib.error
import urllib.request

import psutil
import pytest

from slipway.supervisor.ray import session_folder


@pytest.mark.skipif(not hasattr(signal, "pidfd_send_signal"), reason="needs Linux")
def test_ray_head_serves_is_replaced_when_killed_and_leaves_nothing(slipway, wait):
    slipway.up("--timeout", "100")
    before = slipway.unit("ray")
    assert (before["state"], set(before["endpoints"])) == ("serving", {"gcs", "dashboard", "agent"})
    assert _refuses_strangers(before["endpoints"]["dashboard"])
    assert _listening(slipway.left()) <= {"127.0.0.1", "::ffff:127.0.0.1"}
    token = slipway.data / "ray" / "token"
    assert (token.stat().st_mode & 0o777, len(token.read_text())) == (0o600, 64)

    family = set(slipway.left())
    os.kill(before["pid"], signal.SIGKILL)
    wait(lambda: slipway.unit("ray")["restarts"] == 1 and slipway.unit("ray")["state"] == "serving", 100)
    after = slipway.unit("ray")
    assert after["endpoints"] == before["endpoints"]
    services = {slipway.unit(name)["pid"] for name in ("registry", "monitor", "redis")}
    assert services <= set(slipway.left())  # they did not notice
    replaced = {pid for pid in family if not psutil.pid_exists(pid)}
    assert before["pid"] in replaced
    assert len(replaced) > 4  # gcs_server, raylet, agents and the dashboard went with it

    assert slipway.run("down").returncode == 0
    assert slipway.left() == []
    assert not session_folder(slipway.data).exists()


def _refuses_strangers(dashboard: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{dashboard}/api/jobs/", timeout=10).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code in (401, 403)
    return False


def _listening(pids: list[int]) -> set[str]:
    return {
        one.laddr.ip
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.pid in pids and one.raddr == ()
    }
