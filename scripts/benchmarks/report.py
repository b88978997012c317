"""The benchmark's findings, for people and for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnxruntime

from scripts.benchmarks.cases import FLOOR, GATEWAY, PEERS

_HEAD = (
    "| model | rows | callers | server | requests/s | rows/s | p50 ms | p99 ms | CPU s/1,000 | rate to bare |"
    " CPU to bare | rate to ort | failed |"
)
_GOAL_TO_BARE, _GOAL_CALLERS = 0.9, 64


def hardware() -> dict[str, Any]:
    """What it ran on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "vcpus": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "onnxruntime": onnxruntime.__version__,
    }


def line(found: Mapping[str, Any]) -> str:
    """The hardware in one line."""
    return (
        f"{found['vcpus']} vCPU ({found['cpu']}), load {found['load_at_start']} at the start, Linux {found['kernel']},"
        f" Python {found['python']}, grpcio {found['grpcio']}, onnxruntime {found['onnxruntime']};"
        " callers, servers and workers share the cores"
    )


def goals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where the gateway (ModelInfer) stands: its rate to the bare server's at 64 callers, and the peers ahead of it."""
    by_cell: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        by_cell.setdefault((row["model"], row["rows"], row["callers"]), {})[row["server"]] = row
    to_bare, behind = {}, []
    for (model, many, callers), cell in by_cell.items():
        ours = cell.get(GATEWAY)
        if ours is None:
            continue
        name = f"{model} x{many} c{callers}"
        if callers == _GOAL_CALLERS and FLOOR in cell:
            to_bare[name] = round(ours["to_bare"]["requests_per_s"], 3)
        behind += [
            f"{name} {peer}" for peer in PEERS if peer in cell and cell[peer]["requests_per_s"] > ours["requests_per_s"]
        ]
    return {
        "rate_to_bare_at_64": to_bare,
        "rate_to_bare_at_64_goal": _GOAL_TO_BARE,
        "peers_ahead_of_gateway": behind,
        "failed_requests": sum(row["failed"] for row in rows),
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line a case, in Markdown."""
    lines = [_HEAD, "|---|" + "---:|" * 2 + "---|" + "---:|" * 9]
    for row in rows:
        bare, ort = row["to_bare"] or {}, row["to_ort"] or {}
        cells = [
            row["model"],
            row["rows"],
            row["callers"],
            row["server"],
            f"{row['requests_per_s']:,.0f}",
            f"{row['rows_per_s']:,.0f}",
            f"{row['p50_ms']:.3f}",
            f"{row['p99_ms']:.3f}",
            f"{row['cpu_s_per_1000']:.3f}",
            _two_places(bare.get("requests_per_s")),
            _two_places(bare.get("cpu_s_per_1000")),
            _two_places(ort.get("requests_per_s")),
            row["failed"],
        ]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _two_places(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"
