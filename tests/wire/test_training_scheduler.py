"""The scheduler over a loopback channel, composed as its main does: real SQLite files, real threads."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from click.testing import CliRunner, Result
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from services.training_scheduler.adapters.sql import MIGRATIONS
from services.training_scheduler.cli import main
from services.training_scheduler.config import Rpc, TrainingConfig
from services.training_scheduler.main import compose
from slipway.client import AsyncSlipway, RunState, StepState, Trigger
from slipway.errors import Kind, SlipwayError
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.gen.slipway.monitor.v1 import events_pb2 as monitor_events_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as monitor_resources_pb2
from slipway.gen.slipway.training.v1 import events_pb2, resources_pb2
from slipway.gen.slipway.training.v1 import training_pb2 as pb
from slipway.rpc import status
from slipway.sql import migrate

WORKFLOWS = Path(__file__).parent / "workflows"
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
NOBODY = "run-0123456789abcdef"


@dataclass
class Served:
    """A scheduler that serves."""

    config: TrainingConfig
    address: str
    client: AsyncSlipway

    async def refused(self, method: str, request: Message | bytes) -> SlipwayError:
        """The error that a request, or any bytes, is answered with."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await self._call(method, data)
        error = raised.value
        trailing: Any = error.trailing_metadata()
        return status.decode(error.code(), error.details() or "", tuple(trailing))

    async def _call(self, method: str, data: bytes) -> None:
        path = f"/slipway.training.v1.TrainingService/{method}"
        async with grpc.aio.insecure_channel(self.address) as channel:
            if method in {"WatchRun", "StreamRunLogs"}:
                stream: Any = channel.unary_stream(path, None, None)
                async for _ in stream(data, timeout=30):
                    pass
            else:
                call: Any = channel.unary_unary(path, None, None)
                await call(data, timeout=30)

    async def command(self, *arguments: str) -> Result:
        """Run the operator's command against it."""
        return await asyncio.to_thread(CliRunner().invoke, main, [*arguments, "--address", self.address])

    async def announced(self, run_id: str) -> list[str]:
        """The states of a run as the event log has them, once the final one is there."""
        async with open_log(self.config.events) as log, asyncio.timeout(60):
            while True:
                events = [
                    events_pb2.RunChanged.FromString(one.event.value) for one in await log.read("training.run.v1")
                ]
                states = [resources_pb2.RunState.Name(one.run.state) for one in events if one.run.id == run_id]
                if states and states[-1].endswith(("SUCCEEDED", "FAILED", "CANCELLED")):
                    return states
                await asyncio.sleep(PAUSE_S)


@pytest.fixture
async def training(tmp_path: Path) -> AsyncIterator[Served]:
    config = TrainingConfig(
        max_running_runs=1,
        rpc=Rpc(listen="127.0.0.1:0", grace_s=1),
        data=tmp_path,
        database_url="",
        events_url=f"sqlite:///{tmp_path / 'log.db'}",
        workflow_modules=("wire_workflows",),
        workflow_path=(WORKFLOWS,),
        retry_wait_s=0,
        executor="threads",
    )
    migrate(config.database, MIGRATIONS)
    async with compose(config) as parts:
        for part in parts:
            await part.start()
        address = f"127.0.0.1:{parts.server.port}"
        try:
            async with AsyncSlipway(training=address) as client:
                yield Served(config, address, client)
        finally:
            for part in reversed(parts):
                await part.stop()


async def test_workflows_are_listed_with_parameters_and_steps(training: Served) -> None:
    broken, forever, sums = await training.client.training.workflows()
    assert (broken.name, forever.parameters, sums.description) == ("broken", (), "Adds.")
    assert [(one.name, one.type, one.default_json) for one in sums.parameters] == [
        ("start", "int", ""),
        ("by", "float", "0.5"),
        ("label", "str", '"none"'),
    ]
    assert [(one.name, one.inputs, one.output_type) for one in sums.steps] == [
        ("first", (), "Sum"),
        ("second", ("first",), "Sum"),
    ]
    assert sums.code_digest.startswith("sha256:")


async def test_a_run_goes_through_its_steps_to_one_end(training: Served) -> None:
    submitted = await training.client.training.submit("sums", {"start": 2}, request_id="r1")
    assert (submitted.state, submitted.params) == (RunState.QUEUED, {"start": 2, "by": 0.5, "label": "none"})
    run = await training.client.training.wait(submitted.id, timeout_s=60)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert [(one.name, one.state, one.attempts, one.summary) for one in run.steps] == [
        ("first", StepState.SUCCEEDED, 1, {"total": 2}),
        ("second", StepState.SUCCEEDED, 1, {"total": 2.5}),
    ]
    assert all(one.output_digest.startswith("sha256:") and one.start_time and one.finish_time for one in run.steps)
    again = await training.client.training.submit("sums", {"start": 2}, request_id="r1")
    assert again == run
    assert await training.announced(run.id) == ["RUN_STATE_QUEUED", "RUN_STATE_RUNNING", "RUN_STATE_SUCCEEDED"]
    listed = [one async for one in training.client.training.runs("sums")]
    assert [(one.id, one.steps) for one in listed] == [(run.id, ())]


async def test_a_step_that_fails_is_tried_again_and_then_fails_the_run(training: Served) -> None:
    submitted = await training.client.training.submit("broken", {"start": 1})
    run = await training.client.training.wait(submitted.id, timeout_s=60)
    assert run.error == "step 'breaks' failed in 3 attempts: ValueError: 1 is broken"
    assert [(one.state, one.attempts, one.error) for one in run.steps] == [
        (StepState.FAILED, 3, "ValueError: 1 is broken")
    ]
    assert await training.announced(run.id) == ["RUN_STATE_QUEUED", "RUN_STATE_RUNNING", "RUN_STATE_FAILED"]


async def test_a_cancelled_run_ends_at_once_and_lets_the_next_one_run(training: Served) -> None:
    submitted = await training.client.training.submit("forever")
    waiting = await training.client.training.submit("forever")
    async with training.client.training.watch(submitted.id) as states:
        async for run in states:
            if run.steps[0].state is StepState.RUNNING:
                break
    assert (await training.client.training.get_run(waiting.id)).state is RunState.QUEUED
    cancelled = await training.client.training.cancel(submitted.id)
    assert (cancelled.state, cancelled.steps[0].state) == (RunState.CANCELLED, StepState.SKIPPED)
    assert await training.client.training.cancel(submitted.id) == cancelled
    assert (await training.client.training.cancel(waiting.id)).state is RunState.CANCELLED
    last = await training.client.training.submit("sums", {"start": 1})
    assert (await training.client.training.wait(last.id, timeout_s=60)).state is RunState.SUCCEEDED
    assert await training.announced(submitted.id) == ["RUN_STATE_QUEUED", "RUN_STATE_RUNNING", "RUN_STATE_CANCELLED"]


def params(**values: Any) -> Struct:
    made = Struct()
    made.update(values)
    return made


def submission(workflow: str = "sums", request_id: str = "r1", **values: Any) -> pb.SubmitRunRequest:
    return pb.SubmitRunRequest(workflow=workflow, request_id=request_id, params=params(**values))


def trigger(
    *, workflow: str = "sums", cutoff_param: str = "", cool_down: Duration | None = None, **values: Any
) -> pb.PutTriggerRequest:
    made = resources_pb2.Trigger(
        name="t",
        endpoint="flight-delay",
        workflow=workflow,
        params=params(**values),
        cutoff_param=cutoff_param,
        cool_down=cool_down,
    )
    return pb.PutTriggerRequest(trigger=made)


@pytest.mark.parametrize(
    ("method", "request_", "kind", "field"),
    [
        ("SubmitRun", submission(request_id=""), Kind.INVALID_ARGUMENT, "request_id"),
        ("SubmitRun", submission(request_id="x" * 129), Kind.INVALID_ARGUMENT, "request_id"),
        ("SubmitRun", submission(request_id="a b"), Kind.INVALID_ARGUMENT, "request_id"),
        ("SubmitRun", submission(workflow=""), Kind.INVALID_ARGUMENT, "workflow"),
        ("SubmitRun", submission(workflow="../os"), Kind.INVALID_ARGUMENT, "workflow"),
        ("SubmitRun", submission(workflow="os.path"), Kind.NOT_FOUND, "workflow"),
        ("SubmitRun", submission(), Kind.INVALID_ARGUMENT, "params.start"),
        ("SubmitRun", submission(start="2"), Kind.INVALID_ARGUMENT, "params.start"),
        ("SubmitRun", submission(start=2.5), Kind.INVALID_ARGUMENT, "params.start"),
        ("SubmitRun", submission(start=None), Kind.INVALID_ARGUMENT, "params.start"),
        ("SubmitRun", submission(start=float("nan")), Kind.INVALID_ARGUMENT, "params.start"),
        ("SubmitRun", submission(start=1, by=float("inf")), Kind.INVALID_ARGUMENT, "params.by"),
        ("SubmitRun", submission(start=1, by=[1]), Kind.INVALID_ARGUMENT, "params.by"),
        ("SubmitRun", submission(start=1, more=1), Kind.INVALID_ARGUMENT, "params.more"),
        ("SubmitRun", submission(start=1, label="x" * 70_000), Kind.INVALID_ARGUMENT, "params"),
        ("GetRun", pb.GetRunRequest(), Kind.INVALID_ARGUMENT, "run_id"),
        ("GetRun", pb.GetRunRequest(run_id="../x"), Kind.INVALID_ARGUMENT, "run_id"),
        ("GetRun", pb.GetRunRequest(run_id=NOBODY), Kind.NOT_FOUND, "run_id"),
        ("CancelRun", pb.CancelRunRequest(run_id=""), Kind.INVALID_ARGUMENT, "run_id"),
        ("CancelRun", pb.CancelRunRequest(run_id=NOBODY), Kind.NOT_FOUND, "run_id"),
        ("WatchRun", pb.WatchRunRequest(run_id="x"), Kind.INVALID_ARGUMENT, "run_id"),
        ("WatchRun", pb.WatchRunRequest(run_id=NOBODY), Kind.NOT_FOUND, "run_id"),
        ("ListRuns", pb.ListRunsRequest(workflow="A B"), Kind.INVALID_ARGUMENT, "workflow"),
        ("ListRuns", pb.ListRunsRequest(page_size=-1), Kind.INVALID_ARGUMENT, "page_size"),
        ("ListRuns", pb.ListRunsRequest(page_size=501), Kind.INVALID_ARGUMENT, "page_size"),
        ("ListRuns", pb.ListRunsRequest(page_token="junk"), Kind.INVALID_ARGUMENT, "page_token"),
        ("ListRuns", pb.ListRunsRequest(page_token="WyJhIl0="), Kind.INVALID_ARGUMENT, "page_token"),
        ("ListRuns", pb.ListRunsRequest(page_token="WzFlOTldCg=="), Kind.INVALID_ARGUMENT, "page_token"),
        ("StreamRunLogs", pb.StreamRunLogsRequest(run_id="x"), Kind.INVALID_ARGUMENT, "run_id"),
        ("StreamRunLogs", pb.StreamRunLogsRequest(run_id=NOBODY), Kind.NOT_FOUND, "run_id"),
        ("PutTrigger", pb.PutTriggerRequest(), Kind.INVALID_ARGUMENT, "trigger.name"),
        ("PutTrigger", trigger(workflow="os.path"), Kind.NOT_FOUND, "workflow"),
        ("PutTrigger", trigger(start="2"), Kind.INVALID_ARGUMENT, "trigger.params.start"),
        ("PutTrigger", trigger(), Kind.INVALID_ARGUMENT, "trigger.params.start"),
        ("PutTrigger", trigger(start=float("nan")), Kind.INVALID_ARGUMENT, "trigger.params.start"),
        ("PutTrigger", trigger(cutoff_param="start"), Kind.INVALID_ARGUMENT, "trigger.cutoff_param"),
        ("PutTrigger", trigger(cool_down=Duration(seconds=-1), start=1), Kind.INVALID_ARGUMENT, "trigger.cool_down"),
        ("PutTrigger", trigger(cool_down=Duration(seconds=2**62)), Kind.INVALID_ARGUMENT, "trigger.cool_down"),
        ("DeleteTrigger", pb.DeleteTriggerRequest(), Kind.INVALID_ARGUMENT, "name"),
        ("DeleteTrigger", pb.DeleteTriggerRequest(name="nobody"), Kind.NOT_FOUND, "name"),
        (
            "ListRuns",
            pb.ListRunsRequest(page_token="Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0="),
            Kind.INVALID_ARGUMENT,
            "page_token",
        ),
    ],
)
async def test_bad_input_is_refused_by_its_field(
    training: Served, method: str, request_: Message, kind: Kind, field: str
) -> None:
    error = await training.refused(method, request_)
    assert (error.kind, error.reason == "INTERNAL") == (kind, False)
    assert error.message.startswith(f"{field}: ")
    if kind is Kind.INVALID_ARGUMENT:
        assert error.violations[0].field == field
    assert [one async for one in training.client.training.runs()] == []
    assert await training.client.training.triggers() == []


@pytest.mark.parametrize(
    "method",
    [
        "ListWorkflows",
        "SubmitRun",
        "GetRun",
        "ListRuns",
        "CancelRun",
        "WatchRun",
        "StreamRunLogs",
        "PutTrigger",
        "ListTriggers",
        "DeleteTrigger",
    ],
)
async def test_junk_bytes_are_an_invalid_argument(training: Served, method: str) -> None:
    assert (await training.refused(method, b"\xff\xff\xff")).kind is Kind.INVALID_ARGUMENT


async def test_a_request_id_belongs_to_one_body(training: Served) -> None:
    await training.client.training.submit("sums", {"start": 2}, request_id="r1")
    for other in (submission(start=3), submission("broken", start=2)):
        error = await training.refused("SubmitRun", other)
        assert (error.kind, error.reason) == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_submitting_at_once_under_one_request_id_makes_one_run(training: Served) -> None:
    submit = training.client.training.submit
    runs = await asyncio.gather(*(submit("sums", {"start": 2}, request_id="r1") for _ in range(8)))
    assert len({run.id for run in runs}) == 1


async def test_the_command_submits_and_follows_a_run(training: Served) -> None:
    told = await training.command("submit", "sums", "-p", "start=2", "-p", "label=7", "--wait", "--json")
    assert told.exit_code == 0, told.output
    run = json.loads(told.stdout)
    assert (run["state"], run["params"]["label"]) == ("succeeded", "7")
    assert [step["summary"] for step in run["steps"]] == [{"total": 2}, {"total": 2.5}]
    assert f"{run['id']} second: succeeded total 2.5" in told.stderr
    shown = await training.command("run", run["id"])
    assert "total 2.5" in shown.stdout
    listed = json.loads((await training.command("runs", "--json")).stdout)
    assert [one["id"] for one in listed] == [run["id"]]
    assert json.loads((await training.command("cancel", run["id"], "--json")).stdout)["state"] == "succeeded"
    assert "broken" in (await training.command("workflows")).stdout
    names = [one["name"] for one in json.loads((await training.command("workflows", "--json")).stdout)]
    assert names == ["broken", "forever", "sums"]


async def test_the_commands_exit_codes_say_what_happened(training: Served) -> None:
    failed = await training.command("submit", "broken", "-p", "start=1", "--wait")
    assert (failed.exit_code, "1 is broken" in failed.stdout) == (1, True)
    for arguments, code, text in (
        (("submit", "sums", "-p", "start=x"), 2, "params.start"),
        (("submit", "sums", "-p", "start"), 2, "not name=value"),
        (("submit", "sums", "-p", "start=1", "-p", "start=1"), 2, "given twice"),
        (("submit", "nothing"), 3, "workflow_modules"),
        (("run", NOBODY), 3, "run_id"),
        (("cancel", "x"), 2, "run_id"),
    ):
        told = await training.command(*arguments)
        assert (told.exit_code, text in told.stderr) == (code, True), told.output


def incident(name: str, *, state: str = "INCIDENT_STATE_OPEN", day: int = 1) -> Event:
    """An event of the monitor's."""
    message = monitor_events_pb2.IncidentChanged()
    message.incident.id, message.incident.endpoint = name, "flight-delay"
    message.incident.state = monitor_resources_pb2.IncidentState.Value(state)
    message.incident.trigger_time.FromDatetime(datetime(2013, 6, day, tzinfo=UTC))
    return event(f"{name}.{state}", message.SerializeToString())


def event(name: str, value: bytes) -> Event:
    return Event(name, "monitor.incident.v1", "flight-delay", "t", "test", datetime(2026, 1, 1, tzinfo=UTC), value)


async def test_an_incident_starts_one_run_and_junk_is_set_aside(training: Served) -> None:
    put = Trigger("retrain", "flight-delay", "sums", {"start": 1}, "label", timedelta(days=7))
    assert await training.client.training.put_trigger(put) == put
    assert await training.client.training.put_trigger(put) == put
    async with open_log(training.config.events) as log:
        nameless = incident("i0")
        await log.publisher().publish(
            [
                event("junk", b"\xff\xff"),
                event("empty", b""),
                event("nameless", nameless.value.replace(b"flight-delay", b"FLIGHT-DELAY")),
                incident("i1", state="INCIDENT_STATE_CLOSED"),
                incident("i1"),
                incident("i1"),
                incident("i2", day=3),
            ]
        )
        async with asyncio.timeout(60):
            while not (runs := [one async for one in training.client.training.runs()]):
                await asyncio.sleep(PAUSE_S)  # nothing here announces it
            ended = await training.client.training.wait(runs[0].id)
            await log.publisher().publish([incident("i3", day=4), incident("i4", day=20)])
            while len(runs := [one async for one in training.client.training.runs()]) < 2:
                await asyncio.sleep(PAUSE_S)
            letters = await log.read("monitor.incident.v1.training_scheduler.dlq")
    assert (ended.state, ended.incident_id, ended.params["label"]) == (RunState.SUCCEEDED, "i1", "2013-06-01T00:00:00Z")
    assert [run.incident_id for run in runs] == ["i4", "i1"]
    assert len(letters) == 3
    (kept,) = await training.client.training.triggers()
    assert (kept.last_incident_id, kept.last_run_id) == ("i4", runs[0].id)
    await training.client.training.delete_trigger("retrain")
    assert await training.client.training.triggers() == []


async def test_the_logs_of_each_attempt_are_kept_and_followed(
    training: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    submitted = await training.client.training.submit("broken", {"start": 1})
    followed = []
    async with training.client.training.logs(submitted.id, follow=True) as parts:
        async for lines in parts:
            followed += lines
    raised = [(line.step, line.attempt) for line in followed if line.text == "ValueError: 1 is broken"]
    assert raised == [("breaks", 1), ("breaks", 2), ("breaks", 3)]
    submitted = await training.client.training.submit("sums", {"start": 1})
    await training.client.training.wait(submitted.id, timeout_s=60)
    told = await training.command("logs", submitted.id, "--json")
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(line["step"], line["attempt"]) for line in lines] == [("second", 1)]
    assert lines[0]["text"].endswith("adding by=0.5")
    told = await training.command("logs", submitted.id, "--step", "second", "--follow")
    assert told.stdout.startswith("second.1 | ")
    assert (await training.command("logs", submitted.id, "--step", "first")).stdout == ""
    told = await training.command("logs", submitted.id, "--step", "third")
    assert (told.exit_code, "has no step 'third'" in told.stderr) == (3, True)


async def test_the_command_keeps_triggers(training: Served) -> None:
    options = ("--endpoint", "flight-delay", "--workflow", "sums", "--cutoff-param", "label", "--cool-down", "14d")
    told = await training.command("trigger", "put", "retrain", *options, "-p", "start=2", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["cool_down_s"] == 14 * 86_400
    assert [one["name"] for one in json.loads((await training.command("trigger", "list", "--json")).stdout)] == [
        "retrain"
    ]
    assert "flight-delay" in (await training.command("trigger", "list")).stdout
    assert (await training.command("trigger", "put", "retrain", *options, "--cool-down", "2 weeks")).exit_code == 2
    assert (await training.command("trigger", "put", "retrain", *options)).exit_code == 2
    assert (await training.command("trigger", "delete", "retrain")).exit_code == 0
    assert (await training.command("trigger", "delete", "retrain")).exit_code == 3
