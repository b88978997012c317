"""Carrying one run to its end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator

from services.training_scheduler.domain import progress
from services.training_scheduler.domain.errors import Fenced, StepFailed
from services.training_scheduler.domain.rules import outdated, ready
from services.training_scheduler.domain.run import Attempt, AttemptState, Run, RunState
from services.training_scheduler.domain.workflow import WorkflowSpec
from services.training_scheduler.engine.ledger import Ledger
from services.training_scheduler.engine.policy import Policy
from services.training_scheduler.ports import Job, Output, Steps, Workflows
from slipway.artifacts import ArtifactStore
from slipway.clock import Clock
from slipway.errors import InvalidInput, SlipwayError

_log = logging.getLogger(__name__)


class Execution:
    """Works on runs; a run must not be given to it twice at a time."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        workflows: Workflows,
        steps: Steps,
        artifacts: ArtifactStore,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._workflows = workflows
        self._steps = steps
        self._artifacts = artifacts
        self._policy = policy
        self._clock = clock
        self._slots = asyncio.Semaphore(policy.max_running_steps)

    async def carry_out(self, run_id: str) -> None:
        """Begin the run, or take it over from a process that died, and return when it has ended."""
        try:
            run, spec = await self._begin(run_id)
            if spec is not None and not run.final:
                await self._finish(run, spec)
        except Fenced as fenced:
            _log.info("a run ended before its turn: %s", fenced.message, extra={"run_id": run_id})
        finally:
            self._steps.forget(run_id)

    async def _begin(self, run_id: str) -> tuple[Run, WorkflowSpec | None]:
        run = await self._ledger.get(run_id)
        spec = self._workflows.get(run.workflow)
        now, most = self._clock.now(), self._policy.max_attempts
        if run.state is RunState.QUEUED and spec is not None:
            try:
                self._workflows.complete(run.workflow, run.params)
            except InvalidInput as error:
                text = f"its params do not fit the workflow any more: {error.message}"
                return await self._ledger.insist(run_id, lambda run: progress.fail(run, text, now)), spec
            return await self._ledger.insist(run_id, lambda run: progress.begin(run, spec)), spec
        if why := outdated(run, spec):
            return await self._ledger.insist(run_id, lambda run: progress.fail(run, why, now)), spec
        return await self._ledger.insist(run_id, lambda run: progress.take_over(run, most, now)), spec

    async def _finish(self, run: Run, spec: WorkflowSpec) -> None:
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for name in ready(run, spec):
                    if name not in tasks:
                        tasks[name] = asyncio.create_task(self._attempt(run, spec, name), name=f"{run.id}.{name}")
                if run.final:
                    self._steps.cancel(run.id)
                if not tasks:
                    return
                await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
                for name in [name for name, task in tasks.items() if task.done()]:
                    tasks.pop(name).result()
                run = await self._ledger.get(run.id)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _attempt(self, run: Run, spec: WorkflowSpec, name: str) -> None:
        token = secrets.token_hex(16)
        try:
            async with self._slots:
                run = await self._ledger.insist(
                    run.id, lambda run: progress.begin_attempt(run, name, token, self._clock.now())
                )
                _log.info("a step starts", extra={"run_id": run.id, "step": name, "attempt": _last(run, name).number})
                run = await self._try(run, spec, name, token)
        except Fenced as fenced:
            _log.info("an attempt is not kept: %s", fenced.message, extra={"run_id": run.id, "step": name})
            return
        if not run.final and _last(run, name).state is AttemptState.FAILED:
            await self._clock.sleep(self._policy.wait_s(run.step(name).spent))

    async def _try(self, run: Run, spec: WorkflowSpec, name: str, token: str) -> Run:
        try:
            output = await self._steps.run(await self._job(run, spec, name))
            stored = await self._artifacts.put(_once(output), limit_bytes=self._policy.max_output_bytes)
        except asyncio.CancelledError:
            await asyncio.shield(self._release(run.id, token))
            raise
        except (StepFailed, SlipwayError) as error:
            text = error.text if isinstance(error, StepFailed) else f"{type(error).__name__}: {error.message}"
            most = self._policy.max_attempts
            return await self._ledger.insist(
                run.id, lambda run: progress.fail_attempt(run, token, text, most, self._clock.now())
            )
        return await self._ledger.insist(
            run.id, lambda run: progress.succeed(run, token, stored.digest, output.summary, self._clock.now())
        )

    async def _release(self, run_id: str, token: str) -> None:
        try:
            await self._ledger.change(run_id, lambda run: progress.release(run, token))
        except SlipwayError as error:
            # Then the next process finds the attempt running, and counts it as lost.
            _log.warning("an attempt is not given back: %s", error.message, extra={"run_id": run_id})

    async def _job(self, run: Run, spec: WorkflowSpec, name: str) -> Job:
        needs = next(step.inputs for step in spec.steps if step.name == name)
        inputs = {need: await self._artifacts.read(run.step(need).output_digest) for need in needs}
        return Job(run.id, run.workflow, name, _last(run, name).number, run.params, inputs)


def _last(run: Run, name: str) -> Attempt:
    return run.step(name).attempts[-1]


async def _once(output: Output) -> AsyncIterator[bytes]:
    yield output.data
