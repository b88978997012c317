# Generated from libs/slipway/client/_async/training.py by scripts/generate; do not edit.
"""Workflows and runs at the scheduler."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping

from slipway.client._sync.transport import Stream, Stub
from slipway.client.codec import training as codec
from slipway.client.codec.scalars import text
from slipway.client.codec.structs import encode_struct
from slipway.client.types.training import Json, LogLine, Run, Trigger, Workflow
from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.training.v1 import training_pb2 as pb

_PAGE = 500


class Training:
    """The training scheduler."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def workflows(self) -> list[Workflow]:
        """The workflows that the scheduler knows, by name."""
        answer = self._stub.unary("ListWorkflows", pb.ListWorkflowsRequest(), pb.ListWorkflowsResponse)
        return [codec.decode_workflow(one) for one in answer.workflows]

    def submit(self, workflow: str, params: Mapping[str, Json] | None = None, *, request_id: str | None = None) -> Run:
        """Have a workflow run; the run is durable when this returns.

        A caller that may be restarted gives a ``request_id`` and gets the stored run when it comes again;
        without one, a key of this call alone is made. ALREADY_EXISTS when the id came with another body.
        """
        request = pb.SubmitRunRequest(
            workflow=text("workflow", workflow),
            params=encode_struct("params", params or {}),
            request_id=text("request_id", request_id or str(uuid.uuid4())),
        )
        return codec.decode_run((self._stub.unary("SubmitRun", request, pb.SubmitRunResponse)).run)

    def get_run(self, run_id: str) -> Run:
        """One run with its steps; NOT_FOUND."""
        request = pb.GetRunRequest(run_id=text("run_id", run_id))
        return codec.decode_run((self._stub.unary("GetRun", request, pb.GetRunResponse)).run)

    def runs(self, workflow: str | None = None) -> Iterator[Run]:
        """Runs without their steps, newest first, a page at a time; None means of every workflow."""
        request = pb.ListRunsRequest(workflow=text("workflow", workflow or ""), page_size=_PAGE)
        for page in self._stub.pages("ListRuns", request, pb.ListRunsResponse):
            for run in page.runs:
                yield codec.decode_run(run)

    def cancel(self, run_id: str) -> Run:
        """Cancel a run that has not ended; one that has is given back as it ended."""
        request = pb.CancelRunRequest(run_id=text("run_id", run_id))
        return codec.decode_run((self._stub.unary("CancelRun", request, pb.CancelRunResponse)).run)

    def watch(self, run_id: str, *, timeout_s: float | None = None) -> Stream[Run]:
        """A run as it stands and after each change, until it ends; UNAVAILABLE when the scheduler stops."""
        request = pb.WatchRunRequest(run_id=text("run_id", run_id))
        return self._stub.stream(
            "WatchRun", request, pb.WatchRunResponse, lambda answer: codec.decode_run(answer.run), timeout_s=timeout_s
        )

    def logs(
        self, run_id: str, *, step: str = "", follow: bool = False, timeout_s: float | None = None
    ) -> Stream[list[LogLine]]:
        """What the steps of a run printed and logged, some lines at a time, oldest first within a step.

        ``step`` means only this step's; with ``follow`` until the run ends.
        """
        request = pb.StreamRunLogsRequest(run_id=text("run_id", run_id), step=text("step", step), follow=follow)
        return self._stub.stream(
            "StreamRunLogs",
            request,
            pb.StreamRunLogsResponse,
            lambda answer: codec.decode_lines(answer.lines),
            timeout_s=timeout_s,
        )

    def put_trigger(self, trigger: Trigger) -> Trigger:
        """Have incidents of an endpoint start a workflow; replaces the trigger of that name.

        Its ``last_…`` fields are ignored. NOT_FOUND when the workflow is unknown.
        """
        request = pb.PutTriggerRequest(trigger=codec.encode_trigger(trigger))
        return codec.decode_trigger((self._stub.unary("PutTrigger", request, pb.PutTriggerResponse)).trigger)

    def triggers(self) -> list[Trigger]:
        """All triggers, by name."""
        answer = self._stub.unary("ListTriggers", pb.ListTriggersRequest(), pb.ListTriggersResponse)
        return [codec.decode_trigger(one) for one in answer.triggers]

    def delete_trigger(self, name: str) -> None:
        """Remove a trigger; NOT_FOUND when there is none. Runs that it started go on."""
        self._stub.unary("DeleteTrigger", pb.DeleteTriggerRequest(name=text("name", name)), pb.DeleteTriggerResponse)

    def wait(self, run_id: str, *, timeout_s: float | None = None) -> Run:
        """The run when it has ended, however it ended; watches again when the scheduler was only restarted.

        DEADLINE_EXCEEDED when it has not ended within ``timeout_s``; None waits for as long as it takes.
        """
        ends_at = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left = None if ends_at is None else max(0.0, ends_at - time.monotonic())
            try:
                with self.watch(run_id, timeout_s=left) as states:
                    for run in states:
                        if run.state.final:
                            return run
            except SlipwayError as error:
                if error.kind is not Kind.UNAVAILABLE:
                    raise
            # gRPC tries this one again, so that a short absence of the scheduler is waited out.
            run = self.get_run(run_id)
            if run.state.final:
                return run
