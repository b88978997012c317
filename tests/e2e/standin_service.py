"""A service of no consequence, for the supervisor's tests: ``standin_service.py CONTROL NAME serve [--migrate]``.

It answers grpc.health.v1, notes what happens to it in ``CONTROL/journal``, and does as files in CONTROL bid:
``NAME.refuse`` (exit with the code in the file), ``NAME.mute`` (stop answering), ``NAME.deaf`` (ignore SIGTERM).
"""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


class Health(health_pb2_grpc.HealthServicer):
    def __init__(self, mute: Path) -> None:
        self.mute = mute

    def Check(self, request, context):  # noqa: N802
        status = health_pb2.HealthCheckResponse
        return status(status=status.NOT_SERVING if self.mute.exists() else status.SERVING)


def main(control: Path, name: str, verb: str) -> int:
    def note(what: str) -> None:
        with (control / "journal").open("a") as journal:
            journal.write(f"{name} {what}\n")

    if "--migrate" in sys.argv:
        note("migrate")
    note(verb)
    refuse = control / f"{name}.refuse"
    if refuse.exists():
        print(f"{name} refuses to {verb}", flush=True)
        return int(refuse.read_text())
    (control / f"{name}.json").write_text(json.dumps({"argv": sys.argv, "env": dict(os.environ)}))
    worker = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"], start_new_session=True)
    (control / f"{name}.worker").write_text(str(worker.pid))
    server = grpc.server(futures.ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    health_pb2_grpc.add_HealthServicer_to_server(Health(control / f"{name}.mute"), server)
    server.add_insecure_port(os.environ[f"SLIPWAY_{name.upper()}_GRPC_LISTEN"])
    ended = threading.Event()
    deaf = (control / f"{name}.deaf").exists()
    signal.signal(signal.SIGTERM, lambda *_: note("term") if deaf else ended.set())
    server.start()
    print(f"{name} serves", flush=True)
    while not ended.wait(3600):
        pass
    note("drained")
    worker.kill()
    worker.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
