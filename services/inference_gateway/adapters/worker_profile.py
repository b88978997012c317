"""How ONNX Runtime is set up in a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Threads, arenas and graph of a session; ONNX Runtime's own words where it has them.

    ``intra_op_threads`` 0 lets it choose. ``io_binding`` hands tensors over without looking each up: ``auto`` where
    there is a GPU. ``cuda_memory_limit_bytes`` 0 sets no limit.
    """

    intra_op_threads: int = 1
    inter_op_threads: int = 1
    graph_optimization: str = "all"
    arena: bool = True
    memory_pattern: bool = True
    spinning: bool = False
    io_binding: str = "auto"
    cuda_memory_limit_bytes: int = 0
    arena_extend: str = "next_power_of_two"

    def binds(self, gpu: int | None) -> bool:
        """Whether tensors are bound on a GPU, or on the CPU for None."""
        return self.io_binding == "on" or (self.io_binding == "auto" and gpu is not None)
