"""A proxy in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from slipway.errors import Unavailable
from slipway.tcp_proxy.control import Control

_END_S = 10.0


@contextmanager
def spawned(to: str, listen: str = "127.0.0.1:0", *, seed: int = 0) -> Iterator[Control]:
    """Run a proxy as a process while the block lasts; where it listens is its ``address``.

    Raises Unavailable when it does not start; its stderr says why.
    """
    command = [sys.executable, "-m", "slipway.tcp_proxy", "--to", to, "--listen", listen, "--seed", str(seed)]
    process = subprocess.Popen([*command, "--control", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        line = process.stdout.readline()
        if not line:
            raise Unavailable(f"the proxy to {to} did not start; its stderr says why")
        told = json.loads(line)
        yield Control(told["control"], told["address"])
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
