"""Where workers may run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A processor: ``gpu`` is CUDA's number for it, None for the machine's own cores.

    More than ``useful_workers`` of one version are no faster on it.
    """

    useful_workers: int
    gpu: int | None = None

    def __str__(self) -> str:
        return "cpu" if self.gpu is None else f"cuda:{self.gpu}"
