"""Endpoints as the registry wants them, as far as the monitor goes by it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServingArm:
    """One arm: the version that it stands for, its share of the answers, and whether it scores other rows too."""

    route: str
    model: str
    version: int
    weight: int
    shadow: bool


@dataclass(frozen=True, slots=True)
class Step:
    """The labelled predictions before which a step is not passed, and by which its verdict stands."""

    min_labels: int
    max_labels: int


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version that is to take over from another. ``start_us`` bounds what is compared; None: nothing does."""

    id: str
    model: str
    candidate: int
    baseline: int
    running: bool
    step: int
    steps: tuple[Step, ...]
    margin: float
    error_rate: float
    start_us: int | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint's arms and its latest rollout."""

    name: str
    revision: int
    arms: tuple[ServingArm, ...]
    rollout: Rollout | None = None

    @property
    def answering(self) -> frozenset[tuple[str, int]]:
        """Model and version of the arms that answer; a candidate is on trial, and does not count."""
        trial = self.rollout
        on_trial = (trial.model, trial.candidate) if trial and trial.running else None
        answering = {(arm.model, arm.version) for arm in self.arms if arm.weight > 0}
        return frozenset(answering - {on_trial})


@dataclass(frozen=True, slots=True)
class EndpointGone:
    """An endpoint that was removed."""

    name: str
