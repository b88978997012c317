"""The loop as it closes by itself, watched: what the monitor, the scheduler and the registry decided, and when.

Nothing here decides. Time in a replay runs a hundred thousand times faster than life, so it is stopped for as long as
the services, which live in real time, need to decide on what they have seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from examples.flights.patience import insist, until
from examples.flights.questions import Questions
from slipway.client import AsyncSlipway, Endpoint, Incident, Rollout, RolloutState, Run, Verdict

_TRAINING_S = 600.0


@dataclass
class Watched:
    """What happened, in order."""

    incidents: list[Incident] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    rollout: Rollout | None = None


class Loop:
    """Waits at each stop of the replay until all that was asked and learned has had its consequences."""

    def __init__(
        self,
        slipway: AsyncSlipway,
        endpoint: str,
        questions: Questions,
        said: Callable[[str], None],
        progress: Callable[[str], None],
    ) -> None:
        self._slipway = slipway
        self._endpoint = endpoint
        self._questions = questions
        self._said = said
        self._progress = progress
        self.watched = Watched()

    async def decide(self, now: datetime) -> None:
        """Return when nothing is left to happen at ``now``: judged, retrained, and the next step served."""
        await self._judged(now)
        for incident in await insist(self._new_incidents):
            self.watched.incidents.append(incident)
            names = ", ".join(one.name for one in incident.features[:3]) or "no feature drifted"
            self._said(f"{now:%d %B}: incident, {incident.harm.metric if incident.harm else 'data'} ({names})")
            await self._answered(incident)
        await self._rolled()

    async def _judged(self, now: datetime) -> None:
        asked, known = self._questions.asked_by(now), self._questions.known_by(now)

        async def there() -> bool | None:
            progress = await self._slipway.monitor.progress(self._endpoint)
            counted = asked is None or (progress.predictions_time is not None and progress.predictions_time >= asked)
            joined = known is None or (progress.labels_time is not None and progress.labels_time >= known)
            return (counted and joined) or None

        await until(there, f"the monitor to have seen all that was told by {now:%Y-%m-%d %H:%M}")

    async def _new_incidents(self) -> list[Incident]:
        seen = {one.id for one in self.watched.incidents}
        found = [one async for one in self._slipway.monitor.incidents(self._endpoint)]
        return sorted((one for one in found if one.id not in seen), key=lambda one: one.trigger_time)

    async def _answered(self, incident: Incident) -> None:
        """Wait for the run that the incident starts, and for its end; return at once where a cool-down says no."""

        async def run_id() -> str | None:
            for trigger in await self._slipway.training.triggers():
                if trigger.endpoint != self._endpoint:
                    continue
                if trigger.last_incident_id == incident.id:
                    return trigger.last_run_id
                before = trigger.last_trigger_time
                if before is not None and incident.trigger_time < before + trigger.cool_down:
                    return ""
            return None

        started = await until(run_id, f"a trigger to answer the incident {incident.id}")
        if started:
            run = await until(lambda: self._ended(started), f"the run {started}", _TRAINING_S)
            self.watched.runs.append(run)
            self._said(f"the retraining {run.id} {run.state}")

    async def _ended(self, run_id: str) -> Run | None:
        run = await self._slipway.training.get_run(run_id)
        done = sum(step.finish_time is not None for step in run.steps)
        self._progress(f"retraining, {done} of {len(run.steps)} steps done")
        return run if run.finish_time is not None else None

    async def _rolled(self) -> None:
        endpoint = await until(self._committed, "the registry to act on the latest verdict")
        if endpoint.rollout is not None:
            self._tell(endpoint.rollout)
            self.watched.rollout = endpoint.rollout
            await until(lambda: self._served(endpoint), f"the gateway to serve revision {endpoint.revision}")

    def _tell(self, rollout: Rollout) -> None:
        before = self.watched.rollout
        if before is None or (before.id, before.step, before.state) != (rollout.id, rollout.step, rollout.state):
            where = (
                f"step {rollout.step + 1} of {len(rollout.plan.steps)}"
                if rollout.state == RolloutState.RUNNING
                else rollout.state
            )
            self._said(f"rollout of version {rollout.candidate_version}: {where}; {rollout.reason}".rstrip("; "))

    async def _committed(self) -> Endpoint | None:
        """The endpoint, unless a verdict on its rollout's present step has not been acted on."""
        verdicts = [one async for one in self._slipway.monitor.verdicts(self._endpoint)]
        endpoint = await self._slipway.registry.get_endpoint(self._endpoint)
        rollout = endpoint.rollout
        self.watched.verdicts = list(reversed(verdicts))
        if rollout is None or rollout.state != RolloutState.RUNNING:
            return endpoint
        open_step = any(one.rollout_id == rollout.id and one.step == rollout.step for one in verdicts)
        return None if open_step else endpoint

    async def _served(self, endpoint: Endpoint) -> bool | None:
        served = await self._slipway.inference.endpoints()
        here = next((one for one in served.endpoints if one.name == endpoint.name), None)
        if here is None or here.revision < endpoint.revision:
            return None
        return all(arm.state != "loading" for arm in here.routes) or None
