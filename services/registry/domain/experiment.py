"""Comparisons of arms whose exposure is logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slipway.errors import FieldViolation
from slipway.naming import request_id, resource_name


@dataclass(frozen=True, slots=True)
class Experiment:
    """A name, the arms that take part, and what spreads rows over them: ``salt``, else the name."""

    name: str
    arms: tuple[str, ...]
    salt: str = ""


def experiment_faults(field: str, experiment: Experiment, live: Sequence[str]) -> Iterator[FieldViolation]:
    """What is wrong with ``experiment``, which stands at ``field``; ``live`` are the arms with a weight."""
    resource_name(f"{field}.name", experiment.name)
    if experiment.salt:
        request_id(f"{field}.salt", experiment.salt)
    if len(set(experiment.arms)) < max(2, len(experiment.arms)):
        told = f"has {', '.join(experiment.arms) or 'nothing'}; give two different arms or more"
        yield FieldViolation(f"{field}.arms", told)
    for position, arm in enumerate(experiment.arms):
        if arm not in live:
            told = f"{arm!r} is no arm with a weight; give one of {', '.join(live)}"
            yield FieldViolation(f"{field}.arms[{position}]", told)
