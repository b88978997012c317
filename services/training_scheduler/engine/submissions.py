"""Submitting, finding, listing and cancelling runs; listing workflows."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.training_scheduler.domain import progress
from services.training_scheduler.domain.errors import RequestReused, WorkflowNotFound
from services.training_scheduler.domain.rules import check_run_id, fingerprint
from services.training_scheduler.domain.run import Run
from services.training_scheduler.domain.workflow import WorkflowSpec
from services.training_scheduler.engine.ledger import Ledger
from services.training_scheduler.ports import Runs, Steps, Workflows
from slipway import paging
from slipway.clock import Clock
from slipway.naming import request_id as check_request_id
from slipway.naming import resource_name


class Submissions:
    """Runs as callers see them; ``accepted`` is called after a run was queued."""

    def __init__(
        self,
        *,
        runs: Runs,
        workflows: Workflows,
        ledger: Ledger,
        steps: Steps,
        clock: Clock,
        accepted: Callable[[], None],
    ) -> None:
        self._runs = runs
        self._workflows = workflows
        self._ledger = ledger
        self._steps = steps
        self._clock = clock
        self._accepted = accepted

    def workflows(self) -> Sequence[WorkflowSpec]:
        """Every workflow, by name."""
        return self._workflows.all()

    async def submit(self, workflow: str, params: Mapping[str, Any], request_id: str) -> Run:
        """Queue a run; a repeated request gives the stored one. Raises InvalidInput, WorkflowNotFound, RequestReused.

        A retry is told by what the caller sent, not by what the defaults made of it: those may have changed since.
        """
        check_request_id("request_id", request_id)
        resource_name("workflow", workflow)
        mark = fingerprint(workflow, params)
        if stored := await self._stored(request_id, mark):
            return stored
        spec = self._workflows.get(workflow)
        if spec is None:
            raise WorkflowNotFound(workflow)
        complete = self._workflows.complete(workflow, params)
        async with self._runs.write() as runs:
            if found := await runs.submission(request_id):
                return _same(found, request_id, mark)
            run = progress.accept(f"run-{secrets.token_hex(8)}", spec, complete, self._clock.now())
            await runs.add(run, request_id, mark)
            await runs.announce(run, run.create_time)
        self._accepted()
        return run

    async def _stored(self, request_id: str, mark: str) -> Run | None:
        async with self._runs.read() as runs:
            found = await runs.submission(request_id)
        return _same(found, request_id, mark) if found else None

    async def get(self, run_id: str) -> Run:
        """One run with its steps. Raises InvalidInput, RunNotFound."""
        return await self._ledger.get(check_run_id(run_id))

    async def list(self, workflow: str, size: int, token: str) -> paging.Slice[Run]:
        """A page of runs without their steps, newest first."""
        if workflow:
            resource_name("workflow", workflow)
        page = paging.parse(size, token, (int,))
        async with self._runs.read() as runs:
            rows = await runs.runs(workflow, page)
        return paging.cut(rows, page, lambda run: (run.position,))

    async def cancel(self, run_id: str) -> Run:
        """End a run that has not ended. Raises InvalidInput, RunNotFound."""
        check_run_id(run_id)
        run = await self._ledger.change(run_id, lambda run: progress.cancel(run, self._clock.now()))
        if any(step.attempts for step in run.steps):
            self._steps.cancel(run_id)
        return run


def _same(found: tuple[Run, str], request_id: str, mark: str) -> Run:
    run, stored_mark = found
    if stored_mark != mark:
        raise RequestReused(request_id)
    return run
