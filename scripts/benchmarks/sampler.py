"""A profiler by samples: where a process's CPU time goes, function by function, at one or two per cent of its cost.

At each tick of the CPU time that the process uses, in any of its threads and in any native code, the stack of the main
thread is noted. Time inside native code counts for the Python line that called it. That of other threads (gRPC's own)
counts for what the main thread does meanwhile. The kernel's tick is some 4 ms: for a few thousand samples run 10 s.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

_TICK_S = 0.001  # what is asked for; the kernel gives its own
_ROOTS = ("site-packages/", "libs/", "lib/python3.11/", "lib/python3.12/")


@dataclass
class Samples:
    """How often each stack was seen (functions, the outermost first), in ``cpu_s`` seconds of CPU time."""

    stacks: Counter[tuple[str, ...]] = field(default_factory=Counter)
    cpu_s: float = 0.0

    def top(self, requests: int, functions: int) -> str:
        """Functions by their own time, then by their time with all that they call; in microseconds a request."""
        total = self.stacks.total() or 1
        each_us = self.cpu_s * 1e6 / total / max(requests, 1)
        own: Counter[str] = Counter()
        whole: Counter[str] = Counter()
        for stack, count in self.stacks.items():
            own[stack[-1]] += count
            for one in set(stack):
                whole[one] += count
        lines = [f"{total} samples, {self.cpu_s:.2f} s of CPU, {requests} requests, {total * each_us:.1f} us each"]
        for title, counted in (("own time", own), ("with what they call", whole)):
            lines += ["", f"{title}:"]
            lines += [f"{n / total:7.1%} {n * each_us:8.1f} us  {name}" for name, n in counted.most_common(functions)]
        return "\n".join(lines)

    def write(self, target: Path) -> None:
        """Store them, whole or not at all: the seconds, then a line a stack as flame graphs take them."""
        lines = [str(self.cpu_s), *(f"{';'.join(stack)} {count}" for stack, count in self.stacks.most_common())]
        unfinished = target.with_suffix(".part")
        unfinished.write_text("\n".join(lines))
        unfinished.replace(target)

    @classmethod
    def take(cls, written: Path) -> Samples:
        """What :meth:`write` stores, as soon as it is there; the file is gone then."""
        while not written.exists():
            time.sleep(0.01)
        seconds, *lines = written.read_text().splitlines()
        written.unlink()
        parts = [line.rpartition(" ") for line in lines]
        return cls(Counter({tuple(stack.split(";")): int(count) for stack, _, count in parts}), float(seconds))


@contextmanager
def sampling() -> Iterator[Samples]:
    """Sample this process within the block; only in its main thread."""
    samples = Samples()

    def note(_: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            stack.append(_named(frame.f_code))
            frame = frame.f_back
        samples.stacks[tuple(reversed(stack))] += 1

    signal.signal(signal.SIGPROF, note)
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, _TICK_S, _TICK_S)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        samples.cpu_s = time.process_time() - began


def on_signal(target: Path) -> None:
    """Begin at a SIGUSR1; at the next one end, and write the samples."""
    block = ExitStack()
    running: list[Samples] = []

    def toggle(*_: object) -> None:
        if running:
            block.close()
            running.pop().write(target)
        else:
            running.append(block.enter_context(sampling()))

    signal.signal(signal.SIGUSR1, toggle)


@cache
def _named(code: CodeType) -> str:
    path = code.co_filename
    for root in _ROOTS:
        before, found, after = path.rpartition(root)
        if found and before:
            path = after
            break
    return f"{path.removeprefix(f'{Path.cwd()}/')}:{code.co_firstlineno}:{code.co_qualname}"
