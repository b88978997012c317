"""Starting the runs that an incident calls for."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace

from services.training_scheduler.domain import progress
from services.training_scheduler.domain.rules import fingerprint
from services.training_scheduler.domain.run import Run
from services.training_scheduler.domain.trigger import Incident, Trigger, passed_over
from services.training_scheduler.ports import Runs, Workflows, Writer
from slipway.clock import Clock
from slipway.errors import InvalidInput

_log = logging.getLogger(__name__)


class Answering:
    """Answers incidents; ``accepted`` is called after runs were queued."""

    def __init__(self, runs: Runs, workflows: Workflows, clock: Clock, accepted: Callable[[], None]) -> None:
        self._runs = runs
        self._workflows = workflows
        self._clock = clock
        self._accepted = accepted

    async def answer(self, incident: Incident) -> None:
        """Start at most one run for each trigger of the incident's endpoint; may be given the incident again.

        That it was seen, the run, and what the trigger remembers of it are one transaction.
        """
        async with self._runs.write() as runs:
            told = [
                (trigger, await self._start(runs, trigger, incident))
                for trigger in await runs.triggers(incident.endpoint)
                if await runs.claim(f"{trigger.name}/{incident.id}", self._clock.now())
            ]
        for trigger, done in told:
            facts = {"trigger": trigger.name, "incident_id": incident.id, "endpoint": incident.endpoint}
            if isinstance(done, Run):
                _log.info("an incident starts a run", extra={**facts, "run_id": done.id})
                self._accepted()
            else:
                _log.warning("an incident is passed over: %s", done, extra=facts)

    async def _start(self, runs: Writer, trigger: Trigger, incident: Incident) -> Run | str:
        """The run, or why there is none."""
        last = await runs.run(trigger.last_run_id) if trigger.last_run_id else None
        if why := passed_over(trigger, incident, last):
            return why
        spec = self._workflows.get(trigger.workflow)
        if spec is None:
            return f"workflow {trigger.workflow!r} is no longer configured; configure its module or put another trigger"
        params = trigger.params_at(incident.trigger_time)
        try:
            complete = self._workflows.complete(trigger.workflow, params)
        except InvalidInput as error:
            return f"its params do not fit the workflow any more: {error.message}; put the trigger again"
        key = trigger.key_for(incident.id)
        if await runs.submission(key):
            return f"a run was submitted under {key!r} before"
        run = progress.accept(f"run-{secrets.token_hex(8)}", spec, complete, self._clock.now())
        run = replace(run, incident_id=incident.id)
        await runs.add(run, key, fingerprint(trigger.workflow, params))
        await runs.announce(run, run.create_time)
        await runs.put_trigger(
            replace(
                trigger,
                last_incident_id=incident.id,
                last_trigger_time=incident.trigger_time,
                last_run_id=run.id,
            )
        )
        return run
