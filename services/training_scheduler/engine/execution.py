"""Carrying one run to its end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable

from services.training_scheduler.domain import progress
from services.training_scheduler.domain.errors import Fenced, StepFailed
from services.training_scheduler.domain.rules import outdated, ready, unfinished
from services.training_scheduler.domain.run import Attempt, AttemptState, Run, RunState, StepState
from services.training_scheduler.domain.workflow import WorkflowSpec
from services.training_scheduler.engine.ledger import Ledger
from services.training_scheduler.engine.policy import Policy
from services.training_scheduler.ports import Job, Steps, Workflows
from slipway.clock import Clock
from slipway.errors import InvalidInput, SlipwayError
from slipway.failpoints import hit_async

_log = logging.getLogger(__name__)


class Execution:
    """Works on runs; a run must not be given to it twice at a time."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        workflows: Workflows,
        steps: Steps,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._workflows = workflows
        self._steps = steps
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
        alive = await self._alive(run)
        return await self._ledger.insist(run_id, lambda run: progress.take_over(run, most, now, alive)), spec

    async def _alive(self, run: Run) -> set[str]:
        """The tokens of attempts of the run that go on where they run."""
        return {
            attempt.token for step, attempt in unfinished(run) if await self._steps.alive(run.id, step, attempt.number)
        }

    async def _finish(self, run: Run, spec: WorkflowSpec) -> None:
        tasks: dict[str, asyncio.Task[None]] = {}
        going_on = {one.name: one.attempts[-1].token for one in run.steps if one.state is StepState.RUNNING}
        try:
            while True:
                for name, token in (going_on | dict.fromkeys(ready(run, spec), "")).items():
                    if name not in tasks:
                        attempt = self._attempt(run, spec, name, token)
                        tasks[name] = asyncio.create_task(attempt, name=f"{run.id}.{name}")
                going_on = {}
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

    async def _attempt(self, run: Run, spec: WorkflowSpec, name: str, token: str) -> None:
        """A new attempt of a step, or, with its ``token``, the one that goes on."""
        try:
            async with self._slots:
                facts = {"run_id": run.id, "step": name}
                if token:
                    _log.info("a step goes on", extra={**facts, "attempt": _last(run, name).number})
                else:
                    token = secrets.token_hex(16)
                    await hit_async("attempt.begin.before")
                    run = await self._ledger.insist(
                        run.id, lambda run: progress.begin_attempt(run, name, token, self._clock.now())
                    )
                    await hit_async("attempt.begin.after")
                    _log.info("a step starts", extra={**facts, "attempt": _last(run, name).number})
                run = await self._try(run, spec, name, token)
        except Fenced as fenced:
            _log.info("an attempt is not kept: %s", fenced.message, extra={"run_id": run.id, "step": name})
            return
        if not run.final and _last(run, name).state is AttemptState.FAILED:
            await self._clock.sleep(self._policy.wait_s(run.step(name).spent))

    async def _try(self, run: Run, spec: WorkflowSpec, name: str, token: str) -> Run:
        number = _last(run, name).number
        try:
            decide = await self._outcome(_job(run, spec, name), token)
            await hit_async("attempt.end.before")
            try:
                committed = await self._ledger.insist(run.id, decide)
            except Fenced:
                self._steps.drop(run.id, name, number)
                raise
        except asyncio.CancelledError:
            await asyncio.shield(self._release(run.id, token))
            raise
        await hit_async("attempt.end.after")
        self._steps.drop(run.id, name, number)
        return committed

    async def _outcome(self, job: Job, token: str) -> Callable[[Run], Run]:
        """What becomes of the run with what came of an attempt."""
        try:
            output = await self._steps.run(job)
        except (StepFailed, SlipwayError) as error:
            text = error.text if isinstance(error, StepFailed) else f"{type(error).__name__}: {error.message}"
            most = self._policy.max_attempts
            return lambda run: progress.fail_attempt(run, token, text, most, self._clock.now())
        return lambda run: progress.succeed(run, token, output.digest, output.summary, self._clock.now())

    async def _release(self, run_id: str, token: str) -> None:
        try:
            await self._ledger.change(run_id, lambda run: progress.release(run, token))
        except SlipwayError as error:
            # Then the next process finds the attempt running, and counts it as lost.
            _log.warning("an attempt is not given back: %s", error.message, extra={"run_id": run_id})


def _job(run: Run, spec: WorkflowSpec, name: str) -> Job:
    needs = next(step.inputs for step in spec.steps if step.name == name)
    inputs = {need: run.step(need).output_digest for need in needs}
    return Job(run.id, run.workflow, name, _last(run, name).number, run.params, inputs)


def _last(run: Run, name: str) -> Attempt:
    return run.step(name).attempts[-1]
