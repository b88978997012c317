"""``scripts/check``: every check but the tests, side by side, one line each, with the output of what failed."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from scripts.toolchain import buf
from scripts.toolchain.tree import ROOT

_PYTHON = [sys.executable, "-m"]
_TYPED = ["libs", "services", "scripts", "examples"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, and the command that fails when it does not hold."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended: its exit status (0 is well), its output, and its wall time in seconds."""

    check: Check
    status: int
    output: str
    seconds: float


def checks() -> list[Check]:
    """Return all checks, the slowest first; raises ``buf.BufMissing``."""
    buf_command = str(buf.binary())
    typed = [folder for folder in _TYPED if any((ROOT / folder).rglob("*.py"))]
    return [
        Check("types", [*_PYTHON, "mypy", *typed]),
        Check("generated code", [*_PYTHON, "scripts.toolchain.generate", "--check"]),
        Check("imports", [str(ROOT / ".venv/bin/lint-imports"), "--no-logo", "--no-cache"]),
        Check("lint", [*_PYTHON, "ruff", "check", "."]),
        Check("format", [*_PYTHON, "ruff", "format", "--check", "."]),
        Check("contracts: lint", [buf_command, "lint"]),
        Check("contracts: breaking", [buf_command, "breaking", "--against", buf.IMAGE]),
        Check("tracked files", [*_PYTHON, "scripts.toolchain.hygiene"]),
        *_rust(),
    ]


def _rust() -> list[Check]:
    if shutil.which("cargo") is None:
        return []
    manifest = ["--manifest-path", "libs/front/Cargo.toml"]
    lint = ["cargo", "clippy", "--quiet", "--release", "--locked", *manifest]
    return [
        Check("front: lint", [*lint, "--all-targets", "--", "-D", "warnings"]),
        Check("front: format", ["cargo", "fmt", "--check", *manifest]),
        Check("front: crate", ["cargo", "test", "--quiet", "--release", "--locked", *manifest]),
    ]


def run(check: Check) -> Outcome:
    """Run one check to its end."""
    started = time.monotonic()
    done = subprocess.run(
        check.command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return Outcome(check, done.returncode, done.stdout, time.monotonic() - started)


def report(outcome: Outcome) -> None:
    """Print one line, and under it the output of a check that failed."""
    mark = "ok  " if outcome.status == 0 else "FAIL"
    print(f"{mark}  {outcome.check.name:<20} {outcome.seconds:6.1f} s", flush=True)
    if outcome.status != 0:
        print(outcome.output.rstrip(), flush=True)


def main() -> int:
    """Run the checks; returns 0 when all hold."""
    parser = argparse.ArgumentParser(prog="scripts/check", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="first let ruff repair what it can")
    accept = "first renew the image that contracts are held against"
    parser.add_argument("--accept-contracts", action="store_true", help=accept)
    wanted = parser.parse_args()
    try:
        prepare(fix=wanted.fix, accept=wanted.accept_contracts)
        todo = checks()
    except (buf.BufMissing, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return verdict(todo)


def prepare(*, fix: bool, accept: bool) -> None:
    """Change files as asked, before anything reads them."""
    if fix:
        subprocess.run([*_PYTHON, "ruff", "check", "--quiet", "--fix", "."], cwd=ROOT, check=False)
        subprocess.run([*_PYTHON, "ruff", "format", "--quiet", "."], cwd=ROOT, check=False)
    if accept:
        buf.accept()


def verdict(todo: Sequence[Check]) -> int:
    """Run all checks, as many at once as there are cores; report each as it ends; returns the exit code."""
    started = time.monotonic()
    failed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for future in as_completed([pool.submit(run, check) for check in todo]):
            report(future.result())
            if future.result().status != 0:
                failed.append(future.result().check.name)
    seconds = time.monotonic() - started
    print(f"{len(todo) - len(failed)} of {len(todo)} checks hold, in {seconds:.1f} s", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
