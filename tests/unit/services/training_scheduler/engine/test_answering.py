"""Incidents start runs: one each, not within the cool-down, not beside one that goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.training_scheduler.adapters.memory import MemoryRuns
from services.training_scheduler.domain import progress
from services.training_scheduler.domain.errors import TriggerNotFound, WorkflowNotFound
from services.training_scheduler.domain.run import Run, RunState
from services.training_scheduler.domain.trigger import Incident, Trigger
from services.training_scheduler.domain.workflow import Parameter, StepSpec, WorkflowSpec
from services.training_scheduler.engine.answering import Answering
from services.training_scheduler.engine.triggers import Triggers
from slipway.clock import ManualClock
from slipway.errors import InvalidInput, invalid_field
from slipway.paging import parse

JUNE = datetime(2013, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RETRAIN = Trigger("retrain", "flight-delay", "train", {"rounds": 5}, "until", 7 * DAY)


class Known:
    """One workflow that takes ``until`` and ``rounds``."""

    spec = WorkflowSpec(
        "train", "", (Parameter("until", "str"), Parameter("rounds", "int", "3")), (StepSpec("a"),), "d"
    )

    def all(self) -> list[WorkflowSpec]:
        return [self.spec]

    def get(self, name: str) -> WorkflowSpec | None:
        return self.spec if name == "train" else None

    def complete(self, name: str, params: Any) -> Any:
        for one in params:
            if one not in {"until", "rounds"}:
                raise invalid_field(f"params.{one}", "is not known")
        return {"rounds": 3, **params}


class Rig:
    """Triggers and answers over one store."""

    def __init__(self) -> None:
        self.runs, self.woken, clock = MemoryRuns(), 0, ManualClock()
        self.triggers = Triggers(self.runs, Known(), clock)
        self.answering = Answering(self.runs, Known(), clock, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    async def incident(self, name: str, at: datetime, endpoint: str = "flight-delay") -> None:
        await self.answering.answer(Incident(name, endpoint, at))

    async def started(self) -> list[Run]:
        async with self.runs.read() as reader:
            return list(reversed(await reader.runs("", parse(50, "", (int,)))))

    async def end_all(self) -> None:
        async with self.runs.write() as writer:
            for run in await self.started():
                await writer.save(progress.cancel(run, JUNE))


async def test_an_incident_starts_one_run_of_its_time_however_often_it_comes() -> None:
    rig = Rig()
    await rig.triggers.put(RETRAIN)
    for _ in range(3):
        await rig.incident("i1", JUNE)
    (run,) = await rig.started()
    assert (run.state, run.incident_id, run.params) == (
        RunState.QUEUED,
        "i1",
        {"rounds": 5, "until": "2013-06-01T00:00:00Z"},
    )
    assert [one.id for one in rig.runs.announced] == [run.id]
    (kept,) = await rig.triggers.all()
    assert (kept.last_incident_id, kept.last_trigger_time, kept.last_run_id) == ("i1", JUNE, run.id)
    assert rig.woken == 1


async def test_no_run_starts_within_the_cool_down_of_event_time(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    await rig.triggers.put(RETRAIN)
    for name, at in (("i1", JUNE), ("i2", JUNE + 7 * DAY - timedelta(microseconds=1)), ("i3", JUNE - DAY)):
        await rig.incident(name, at)
        await rig.end_all()
    assert [run.incident_id for run in await rig.started()] == ["i1"]
    assert "within 7 days" in caplog.text
    await rig.incident("i4", JUNE + 7 * DAY)
    await rig.end_all()
    # What was passed over stays so, when it comes again later.
    await rig.incident("i2", JUNE + 7 * DAY - timedelta(microseconds=1))
    assert [run.incident_id for run in await rig.started()] == ["i1", "i4"]


async def test_no_run_starts_beside_one_that_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    await rig.triggers.put(RETRAIN)
    await rig.incident("i1", JUNE)
    await rig.incident("i2", JUNE + 30 * DAY)
    assert [run.incident_id for run in await rig.started()] == ["i1"]
    assert "has not ended" in caplog.text
    await rig.end_all()
    await rig.incident("i3", JUNE + 31 * DAY)
    assert [run.incident_id for run in await rig.started()] == ["i1", "i3"]


async def test_each_trigger_of_the_endpoint_answers_and_no_other() -> None:
    rig = Rig()
    for name, endpoint in (("a", "flight-delay"), ("b", "flight-delay"), ("c", "other")):
        await rig.triggers.put(Trigger(name, endpoint, "train", {}, "until"))
    await rig.incident("i1", JUNE)
    await rig.incident("i1", JUNE, "nobody")
    assert len(await rig.started()) == 2


async def test_a_trigger_that_is_replaced_remembers_what_it_answered() -> None:
    rig = Rig()
    await rig.triggers.put(RETRAIN)
    await rig.incident("i1", JUNE)
    await rig.end_all()
    kept = await rig.triggers.put(Trigger("retrain", "flight-delay", "train", {}, "until", 7 * DAY))
    assert kept.last_incident_id == "i1"
    await rig.incident("i2", JUNE + DAY)
    assert len(await rig.started()) == 1
    await rig.triggers.delete("retrain")
    with pytest.raises(TriggerNotFound):
        await rig.triggers.delete("retrain")
    await rig.incident("i3", JUNE + 90 * DAY)
    assert len(await rig.started()) == 1


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        (Trigger("A", "e", "train", {}, "until"), "trigger.name"),
        (Trigger("t", "", "train", {}, "until"), "trigger.endpoint"),
        (Trigger("t", "e", "../x", {}, "until"), "trigger.workflow"),
        (Trigger("t", "e", "train", {}, "nothing"), "trigger.cutoff_param"),
        (Trigger("t", "e", "train", {}, "rounds"), "trigger.cutoff_param"),
        (Trigger("t", "e", "train", {"until": "x"}, "until"), "trigger.params.until"),
        (Trigger("t", "e", "train", {"more": 1}, "until"), "trigger.params.more"),
        (Trigger("t", "e", "train", {}, "until", timedelta(-1)), "trigger.cool_down"),
    ],
)
async def test_a_bad_trigger_is_refused_by_its_field(trigger: Trigger, field: str) -> None:
    rig = Rig()
    with pytest.raises(InvalidInput) as raised:
        await rig.triggers.put(trigger)
    assert raised.value.violations[0].field == field
    assert raised.value.message.startswith(f"{field}: ")
    with pytest.raises(WorkflowNotFound):
        await rig.triggers.put(Trigger("t", "e", "unknown", {}))
    assert list(await rig.triggers.all()) == []
