"""A stack for the time of one command: started when the command asks, stopped when it ends, however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from slipway.errors import SlipwayError, Unavailable
from slipway.stack.start import install_missing, start
from slipway.supervisor import status
from slipway.supervisor.options import Options
from slipway.supervisor.redis import NotInstalled
from slipway.supervisor.variables import VARIABLES

FOLDER = "SLIPWAY_STACK"
"""Tells the command, and what it starts, the folder of the stack that it may ask for; see :func:`servers`."""

_POLL_S = 0.1
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def run(command: Sequence[str], options: Options, *, now: bool) -> int:
    """Run ``command``; its exit code, 128 and more for a signal.

    A stack is started beside it once it asks for one, at once if ``now``; none where the environment names every
    server. ``options.data`` is replaced by a folder of its own, which is gone at the end.
    """
    if all(os.environ.get(variable) for variable in VARIABLES.values()):
        return _code(subprocess.run(command, check=False).returncode)
    if now:
        with suppress(NotInstalled):  # which the start says again, to those who ask
            install_missing()
    data = Path(tempfile.mkdtemp(prefix="slipway-stack-")).resolve()
    # No handler may raise: what was started must be stopped. A terminal's Ctrl-C reaches the command by itself.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return _beside(command, options.model_copy(update={"data": data}), now=now)
    finally:
        status.stop(data, 20.0, lambda _: None)
        shutil.rmtree(data, ignore_errors=True)


def _beside(command: Sequence[str], options: Options, *, now: bool) -> int:
    process = subprocess.Popen(command, env={**os.environ, FOLDER: str(options.data)})
    for number in _PASSED_ON:
        signal.signal(number, lambda received, _: process.send_signal(received))
    wanted = _wanted(options.data)
    while process.poll() is None:
        if now or wanted.exists():
            _start(options)
            break
        time.sleep(_POLL_S)
    return _code(process.wait())


def _start(options: Options) -> None:
    """Start the stack and say how that went where the command looks for it."""
    try:
        told: dict[str, object] = {"servers": dict(start(options, tied=True).servers)}
    except SlipwayError as error:
        told = {"error": error.message, "reason": error.reason}
    draft = _verdict(options.data).with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(_verdict(options.data))


def servers(data: Path, timeout_s: float = 240.0) -> dict[str, str]:
    """Variable to address of the stack that :func:`run` has for its command; asks for it, and waits.

    Raises NotInstalled when its programs can't be had here, Unavailable when it did not come.
    """
    _wanted(data).touch()
    end = time.monotonic() + timeout_s
    while not _verdict(data).exists():
        if time.monotonic() >= end:
            raise Unavailable(f"the stack on {data} did not come within {timeout_s:.0f} s")
        time.sleep(_POLL_S)
    told = json.loads(_verdict(data).read_text(encoding="utf-8"))
    if told.get("reason") == NotInstalled.reason:
        raise NotInstalled(told["error"])
    if "error" in told:
        raise Unavailable(f"the stack did not start: {told['error']}")
    return dict(told["servers"])


def _wanted(data: Path) -> Path:
    return data / "wanted"


def _verdict(data: Path) -> Path:
    return data / "verdict.json"


def _code(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned
