"""What an endpoint has beside its routes, and why it changed."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guardrails:
    """What is borne of an arm before a gateway takes it to zero; None for a limit that is not set, 0 for the usual.

    A share of failed batches, and milliseconds at the 99th percentile, over an arm's last ``window_batches``; nothing
    is decided before ``min_batches``.
    """

    max_error_share: float | None = None
    max_p99_latency_ms: float | None = None
    window_batches: int = 0
    min_batches: int = 0


@dataclass(frozen=True, slots=True)
class FallbackVersion:
    """A version that answers when an arm can't: ``version`` of ``model``, or the one before the main arm's (0).

    ``resolved_version`` of ``resolved_model`` is what it stands for now, 0 while there is none; the registry sets it.
    """

    model: str = ""
    version: int = 0
    resolved_model: str = ""
    resolved_version: int = 0


@dataclass(frozen=True, slots=True)
class DefaultAnswer:
    """One row's answer when an arm fails: numbers or texts, in the tensor's order, by output.

    Also while no version is loaded, and while features that a version needs can't be read, where that is said.
    """

    outputs: Mapping[str, tuple[float, ...] | tuple[str, ...]]
    when_not_ready: bool = False
    when_features_unavailable: bool = False


Fallback = FallbackVersion | DefaultAnswer


@dataclass(frozen=True, slots=True)
class Experiment:
    """A comparison of arms, by name, whose exposure is logged; rows are dealt by ``salt``, else by the name."""

    name: str
    arms: tuple[str, ...]
    salt: str = ""


class RevisionCause(enum.StrEnum):
    """Why a revision of an endpoint came to be."""

    UNSPECIFIED = "unspecified"
    PUT = "put"
    ALIAS = "alias"
    ROLLOUT = "rollout"
    ROLLBACK = "rollback"
    GUARDRAIL = "guardrail"
    DELETED = "deleted"
