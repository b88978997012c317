"""The scheduler's gRPC methods: decode, call the engine, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.training_scheduler import codec
from services.training_scheduler.engine.run_logs import RunLogs
from services.training_scheduler.engine.submissions import Submissions
from services.training_scheduler.engine.triggers import Triggers
from services.training_scheduler.engine.watch import Watch
from slipway.gen.slipway.training.v1 import training_pb2 as pb
from slipway.rpc.call import Call


class TrainingServicer:
    """``slipway.training.v1.TrainingService``."""

    def __init__(self, submissions: Submissions, watch: Watch, triggers: Triggers, logs: RunLogs) -> None:
        self._submissions = submissions
        self._watch = watch
        self._triggers = triggers
        self._logs = logs

    async def ListWorkflows(self, request: pb.ListWorkflowsRequest, call: Call) -> pb.ListWorkflowsResponse:
        """Give every workflow."""
        return pb.ListWorkflowsResponse(
            workflows=[codec.encode_workflow(spec) for spec in self._submissions.workflows()]
        )

    async def SubmitRun(self, request: pb.SubmitRunRequest, call: Call) -> pb.SubmitRunResponse:
        """Queue a run, or give the stored one back."""
        params = codec.decode_params(request.params)
        run = await self._submissions.submit(request.workflow, params, request.request_id)
        return pb.SubmitRunResponse(run=codec.encode_run(run))

    async def GetRun(self, request: pb.GetRunRequest, call: Call) -> pb.GetRunResponse:
        """Give one run."""
        return pb.GetRunResponse(run=codec.encode_run(await self._submissions.get(request.run_id)))

    async def ListRuns(self, request: pb.ListRunsRequest, call: Call) -> pb.ListRunsResponse:
        """Give a page of runs."""
        found = await self._submissions.list(request.workflow, request.page_size, request.page_token)
        return pb.ListRunsResponse(runs=[codec.encode_run(run) for run in found.rows], next_page_token=found.next_token)

    async def CancelRun(self, request: pb.CancelRunRequest, call: Call) -> pb.CancelRunResponse:
        """End a run."""
        return pb.CancelRunResponse(run=codec.encode_run(await self._submissions.cancel(request.run_id)))

    async def WatchRun(self, request: pb.WatchRunRequest, call: Call) -> AsyncIterator[pb.WatchRunResponse]:
        """Stream a run until it ends."""
        async for run in self._watch.follow(request.run_id):
            yield pb.WatchRunResponse(run=codec.encode_run(run))

    async def StreamRunLogs(
        self, request: pb.StreamRunLogsRequest, call: Call
    ) -> AsyncIterator[pb.StreamRunLogsResponse]:
        """Stream what a run's steps printed and logged."""
        async for lines in self._logs.stream(request.run_id, request.step, follow=request.follow):
            yield pb.StreamRunLogsResponse(lines=[codec.encode_line(line) for line in lines])

    async def PutTrigger(self, request: pb.PutTriggerRequest, call: Call) -> pb.PutTriggerResponse:
        """Store a trigger."""
        stored = await self._triggers.put(codec.decode_trigger(request.trigger))
        return pb.PutTriggerResponse(trigger=codec.encode_trigger(stored))

    async def ListTriggers(self, request: pb.ListTriggersRequest, call: Call) -> pb.ListTriggersResponse:
        """Give every trigger."""
        return pb.ListTriggersResponse(triggers=[codec.encode_trigger(one) for one in await self._triggers.all()])

    async def DeleteTrigger(self, request: pb.DeleteTriggerRequest, call: Call) -> pb.DeleteTriggerResponse:
        """Remove a trigger."""
        await self._triggers.delete(request.name)
        return pb.DeleteTriggerResponse()
