"""Storing, listing and removing what starts runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.training_scheduler.domain.errors import TriggerNotFound, WorkflowNotFound
from services.training_scheduler.domain.trigger import Trigger, check_trigger
from services.training_scheduler.ports import Runs, Workflows
from slipway.clock import Clock
from slipway.errors import FieldViolation, InvalidInput
from slipway.naming import resource_name


class Triggers:
    """Triggers as callers see them."""

    def __init__(self, runs: Runs, workflows: Workflows, clock: Clock) -> None:
        self._runs = runs
        self._workflows = workflows
        self._clock = clock

    async def put(self, trigger: Trigger) -> Trigger:
        """Store it, or replace the one of its name, which keeps what it answered last.

        Raises InvalidInput about ``trigger.<field>``, WorkflowNotFound.
        """
        spec = self._workflows.get(trigger.workflow)
        check_trigger(trigger, spec)
        if spec is None:
            raise WorkflowNotFound(trigger.workflow)
        # As a run of now would be checked, so that what can't start is refused today and not at the incident.
        within_trigger(lambda: self._workflows.complete(trigger.workflow, trigger.params_at(self._clock.now())))
        async with self._runs.write() as runs:
            stored = await runs.trigger(trigger.name)
            if stored is not None:
                trigger = replace(
                    trigger,
                    last_incident_id=stored.last_incident_id,
                    last_trigger_time=stored.last_trigger_time,
                    last_run_id=stored.last_run_id,
                )
            if trigger != stored:
                await runs.put_trigger(trigger)
        return trigger

    async def all(self) -> Sequence[Trigger]:
        """Every one, by name."""
        async with self._runs.read() as runs:
            return await runs.triggers()

    async def delete(self, name: str) -> None:
        """Remove one. Raises InvalidInput, TriggerNotFound."""
        resource_name("name", name)
        async with self._runs.write() as runs:
            if not await runs.delete_trigger(name):
                raise TriggerNotFound(name)


def within_trigger(check: Callable[[], Mapping[str, Any]]) -> None:
    """Have what is wrong with ``params`` said of ``trigger.params``."""
    try:
        check()
    except InvalidInput as error:
        raise InvalidInput(
            f"trigger.{error.message}",
            violations=[FieldViolation(f"trigger.{one.field}", one.description) for one in error.violations],
        ) from error
