"""The scheduler's load: runs are submitted, looked at and now and then cancelled, and incidents start some."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scripts.chaos.findings import Finding
from scripts.chaos.history import Mark, Operation, acknowledged
from scripts.chaos.load import Client, Needs, Scene
from scripts.chaos.models import training_scheduler as model
from scripts.chaos.topics import arrived
from slipway.client import Run, Trigger
from slipway.events import Event
from slipway.gen.slipway.monitor.v1 import events_pb2 as told_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as incident_pb2
from slipway.gen.slipway.training.v1 import events_pb2, resources_pb2

INCIDENTS, GROUP, RUNS = "monitor.incident.v1", "training_scheduler", "training.run.v1"
_START = datetime(2013, 1, 1, tzinfo=UTC)
_WORKFLOW = "noting"
_SUBMITTERS, _READERS, _TELLERS, _TRIGGERS = 4, 4, 2, 2
_CANCEL_EVERY = 4
_WORKFLOWS = Path(__file__).parents[1] / "workflows"
# No run may fail: what a step makes is good, and no step dies so often.
_CONFIG = f"""
executor = "threads"
workflow_modules = ["{_WORKFLOW}"]
workflow_path = [{json.dumps(str(_WORKFLOWS))}]
max_running_runs = 4
max_running_steps = 4
max_attempts = 100
retry_wait_s = 0.05
"""
_SETTLES_WITHIN_S = 60.0


@dataclass
class _Submitter:
    """Submits a run under a key until it is answered, and looks at it until it ends; every now and then it cancels."""

    scene: Scene
    name: str
    turn: int = 0
    run_id: str | None = None
    ended: str | None = None

    async def step(self) -> None:
        """See Client."""
        if self.run_id is None:
            self.run_id = await self._submit()
            return
        if self.turn % _CANCEL_EVERY == 0:
            run = await _about_run(self.scene, self.name, model.CANCEL, self.run_id)
        else:
            run = await _about_run(self.scene, self.name, model.GET, self.run_id)
        if run is not None and run.state.final:
            self.turn, self.run_id, self.ended = self.turn + 1, None, run.id

    async def _submit(self) -> str | None:
        key = f"{self.name}-{self.turn}"
        run = await self.scene.history.attempt(
            self.name,
            model.SUBMIT,
            key,
            lambda: self.scene.slipway.training.submit(_WORKFLOW, _params(self.scene, key), request_id=key),
            told=lambda run: run.id,
        )
        return run.id if run else None


@dataclass
class _Reader:
    """Looks at runs that ended."""

    scene: Scene
    name: str
    submitters: Sequence[_Submitter]
    turn: int = 0

    async def step(self) -> None:
        """See Client."""
        self.turn += 1
        if run_id := self.submitters[self.turn % len(self.submitters)].ended:
            await _about_run(self.scene, self.name, model.GET, run_id)


@dataclass
class _Teller:
    """Tells of one incident after another, each when the runs of the one before have ended."""

    scene: Scene
    endpoint: str
    turn: int = 0
    told: bool = False
    runs: list[str] = field(default_factory=list)

    async def step(self) -> None:
        """See Client."""
        incident_id = f"{self.endpoint}-{self.turn}"
        if not self.told:
            self.told = await self._tell(incident_id)
        elif not self.runs:
            self.runs = await self._started(incident_id)
        else:
            run = await _about_run(self.scene, self.endpoint, model.GET, self.runs[-1])
            if run is not None and run.state.final:
                self.runs.pop()
                if not self.runs:
                    self.turn, self.told = self.turn + 1, False

    async def _tell(self, incident_id: str) -> bool:
        incident = incident_pb2.Incident(
            id=incident_id, endpoint=self.endpoint, state=incident_pb2.INCIDENT_STATE_OPEN, trigger_time=_START
        )
        value = told_pb2.IncidentChanged(incident=incident).SerializeToString()
        event = Event(f"open-{incident_id}", INCIDENTS, self.endpoint, "t", "/faults", _START, value)

        async def publish() -> bool:
            await self.scene.publisher.publish([event])
            return True

        return bool(await self.scene.history.attempt(self.endpoint, model.INCIDENT, incident_id, publish))

    async def _started(self, incident_id: str) -> list[str]:
        """The runs that the incident started, once each trigger has answered it."""
        found = await self.scene.history.attempt(
            self.endpoint, model.TRIGGERS, self.endpoint, self.scene.slipway.training.triggers
        )
        answered = [one.last_run_id for one in found or () if one.last_incident_id == incident_id]
        return answered if len(answered) == _TRIGGERS else []


class TrainingSchedulerLoad:
    """See :class:`scripts.chaos.load.Load`."""

    service = "training_scheduler"
    needs = Needs(
        services=("training_scheduler",),
        victims=("training_scheduler",),
        configs={"training_scheduler": _CONFIG},
        topics={INCIDENTS: GROUP},
        fed=frozenset({INCIDENTS}),
        alone=True,
        aside=frozenset({model.INCIDENT}),
    )

    async def prepare(self, scene: Scene) -> None:
        """See Load."""
        for endpoint in _endpoints(scene):
            for number in range(_TRIGGERS):
                trigger = Trigger(f"{endpoint}-{number}", endpoint, _WORKFLOW, _params(scene, ""))
                await scene.slipway.training.put_trigger(trigger)

    def clients(self, scene: Scene) -> Sequence[Client]:
        """See Load."""
        session = scene.history.session
        submitters = [_Submitter(scene, f"s{session}c{number}") for number in range(_SUBMITTERS)]
        readers = [_Reader(scene, f"s{session}r{number}", submitters) for number in range(_READERS)]
        return [*submitters, *readers, *(_Teller(scene, endpoint) for endpoint in _endpoints(scene))]

    async def observe(self, scene: Scene) -> model.Observed:
        """See Load."""
        runs = await _ended(scene)
        events = [
            events_pb2.RunChanged.FromString(record.event.value).run
            for record in await arrived(scene.platform.events, RUNS, 3 * len(runs) // 2)
        ]
        announced: defaultdict[str, list[str]] = defaultdict(list)
        for one in events:
            announced[one.id].append(resources_pb2.RunState.Name(one.state).removeprefix("RUN_STATE_").lower())
        journal = _journal(scene)
        lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
        noted = [model.Noted(**json.loads(line)) for line in lines]
        return model.Observed({one.id: _end(one) for one in runs}, announced, noted, _TRIGGERS)

    def check(self, operations: Sequence[Operation], marks: Sequence[Mark], observed: model.Observed) -> list[Finding]:
        """See Load."""
        return model.check(operations, observed)


async def _about_run(scene: Scene, client: str, kind: str, run_id: str) -> Run | None:
    training = scene.slipway.training
    ask = training.cancel if kind == model.CANCEL else training.get_run
    return await scene.history.attempt(client, kind, run_id, lambda: ask(run_id), told=lambda run: run.state.value)


async def _ended(scene: Scene) -> list[Run]:
    """Every run with its steps, once all have ended and those of every incident are there; or after a long while."""
    told = {one.key for one in acknowledged(scene.history.operations, model.INCIDENT)}
    until_s = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        runs = [one async for one in scene.slipway.training.runs()]
        started = sum(1 for one in runs if one.incident_id)
        done = all(one.state.final for one in runs) and started >= _TRIGGERS * len(told)
        if done or time.monotonic() > until_s:
            return [await scene.slipway.training.get_run(one.id) for one in runs]
        await asyncio.sleep(0.1)


def _end(run: Run) -> model.Ended:
    attempts = {step.name: step.attempts for step in run.steps}
    return model.Ended(run.state.value, str(run.params.get("key", "")), run.incident_id, attempts)


def _endpoints(scene: Scene) -> list[str]:
    """Of this session alone: an earlier one may have left an incident that is still to be answered."""
    return [f"s{scene.history.session}t{number}" for number in range(_TELLERS)]


def _params(scene: Scene, key: str) -> dict[str, str]:
    return {"journal": str(_journal(scene)), "key": key}


def _journal(scene: Scene) -> Path:
    return scene.platform.folder / "steps.jsonl"
