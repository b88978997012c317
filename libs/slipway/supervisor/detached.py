"""A supervisor in the background: started by :func:`start`, which hears its reports through a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from slipway.clock import SystemClock
from slipway.errors import SlipwayError
from slipway.supervisor import logs, tether
from slipway.supervisor.options import Options
from slipway.supervisor.report import (
    Culprit,
    Failed,
    Message,
    Progress,
    Ready,
    Report,
    UpFailed,
    decode,
    encode,
    failed,
)
from slipway.supervisor.up import supervise


def start(options: Options, report: Report, *, tied: bool = False) -> Ready | Failed:
    """Start a background supervisor; returns when everything serves, or it gave up and is gone.

    ``tied``: the kernel kills it when the calling thread ends, however that happens. Interrupted (Ctrl-C), it has
    the supervisor drain before the interrupt goes on.
    """
    log = logs.log_path(options.data, "supervisor")
    log.parent.mkdir(parents=True, exist_ok=True)
    logs.rotate(log)
    began = logs.size(log)
    tie = (sys.executable, "-I", "-S", tether.__file__, str(os.getpid())) if tied else ()
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*tie, sys.executable, "-P", "-m", __name__, str(options.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            text=True,
        )
    try:
        verdict = _converse(process, options, report)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if isinstance(verdict, Ready):
        return verdict
    code = process.wait()
    return verdict or _died(code, log, began)


def _converse(process: subprocess.Popen[str], options: Options, report: Report) -> Ready | Failed | None:
    """Hand over the options, pass reports on; the verdict, or None when the supervisor ended without one."""
    requests, answers = _pipes(process)
    with answers:
        with suppress(BrokenPipeError), requests:
            requests.write(options.model_dump_json())
        for line in answers:
            message = decode(line)
            if isinstance(message, Ready | Failed):
                return message
            report(message)
    return None


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the supervisor was started without pipes")
    return process.stdin, process.stdout


def _died(code: int, log: Path, began: int) -> Failed:
    culprit = Culprit("supervisor", f"ended with code {code}", code, str(log), logs.tail(log, 20, began))
    return failed(UpFailed("the supervisor ended before everything served", [culprit]))


def main() -> int:
    """The background process: options as JSON on stdin, reports as JSON lines on stdout until the verdict."""
    options = Options.model_validate_json(sys.stdin.read())
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    speaker = _Speaker()
    try:
        supervise(options, speaker.say)
    except SlipwayError as error:
        speaker.say(failed(error))
        return 1
    return 0


def log_line(message: Message) -> str:
    """A report as a line of the supervisor's log, like those of the services."""
    said = {"time": SystemClock().now().isoformat(timespec="milliseconds"), "service": "supervisor"}
    if isinstance(message, Progress):
        wrong = message.state in {"backoff", "failed"} or bool(message.reason)
        said |= {"level": "warning" if wrong else "info", "message": f"{message.name} is {message.state}"}
        return json.dumps(said | ({"reason": message.reason} if message.reason else {}))
    text = message.message if isinstance(message, Failed) else "everything serves"
    return json.dumps(said | {"level": "error" if isinstance(message, Failed) else "info", "message": text})


class _Speaker:
    """Writes reports to the pipe until the verdict, or until nobody listens; to the log from then on."""

    def __init__(self) -> None:
        self._listened_to = True

    def say(self, message: Message) -> None:
        if not self._listened_to:
            print(log_line(message), file=sys.stderr, flush=True)
            return
        try:
            print(encode(message), flush=True)
        except BrokenPipeError:
            self._hang_up()
        if isinstance(message, Ready | Failed):
            self._hang_up()

    def _hang_up(self) -> None:
        self._listened_to = False
        os.dup2(2, 1)  # stdout now is the log


if __name__ == "__main__":
    sys.exit(main())
