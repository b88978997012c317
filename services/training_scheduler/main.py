"""The scheduler's composition root."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from services.training_scheduler.adapters.capture import routing
from services.training_scheduler.adapters.library import Library, load
from services.training_scheduler.adapters.lock import alone_in
from services.training_scheduler.adapters.log_files import FileLogs
from services.training_scheduler.adapters.ray_steps import RayPlace, RaySteps
from services.training_scheduler.adapters.sql import MIGRATIONS, SqlRuns
from services.training_scheduler.adapters.threads import ThreadSteps
from services.training_scheduler.api.consumer import GROUP, INCIDENTS, Intake
from services.training_scheduler.api.servicer import TrainingServicer
from services.training_scheduler.config import TrainingConfig
from services.training_scheduler.engine.answering import Answering
from services.training_scheduler.engine.execution import Execution
from services.training_scheduler.engine.ledger import Ledger
from services.training_scheduler.engine.policy import Policy
from services.training_scheduler.engine.run_logs import RunLogs
from services.training_scheduler.engine.scheduler import Scheduler
from services.training_scheduler.engine.submissions import Submissions
from services.training_scheduler.engine.triggers import Triggers
from services.training_scheduler.engine.upkeep import Upkeep
from services.training_scheduler.engine.watch import Watch
from slipway import lifecycle, observe
from slipway.artifacts import FileArtifacts
from slipway.client import Slipway
from slipway.clock import SystemClock
from slipway.events.connect import open_log
from slipway.events.outbox import Relay
from slipway.gen.slipway.training.v1 import training_pb2
from slipway.rpc.server import Server, service
from slipway.sql import Database


class Parts(NamedTuple):
    """What runs, in the order in which it starts."""

    steps: ThreadSteps | RaySteps
    outbox: lifecycle.Loop
    scheduler: lifecycle.Loop
    intake: lifecycle.Loop
    upkeep: lifecycle.Loop
    server: Server


@asynccontextmanager
async def compose(config: TrainingConfig) -> AsyncIterator[Parts]:
    """Open everything that ``config`` names and wire it up; nothing runs or listens yet."""
    workflows = load(config.workflow_modules, config.import_folders)
    with alone_in(config.home), routing():
        async with (
            Database.open(config.database, MIGRATIONS) as database,
            open_log(config.events) as log,
            log.consumer([INCIDENTS], GROUP) as consumer,
        ):
            clock = SystemClock()
            relay = Relay(database, log.publisher(), clock)
            runs = SqlRuns(database, relay.wake)
            watch = Watch(runs)
            ledger = Ledger(runs, watch, clock)
            logs = FileLogs(config.logs)
            steps = steps_of(config, workflows, logs, ledger)
            execution = Execution(
                ledger=ledger,
                workflows=workflows,
                steps=steps,
                policy=policy(config),
                clock=clock,
            )
            scheduler = Scheduler(runs, execution, clock, config.max_running_runs)
            submissions = Submissions(
                runs=runs, workflows=workflows, ledger=ledger, steps=steps, clock=clock, accepted=scheduler.wake
            )
            intake = Intake(consumer, Answering(runs, workflows, clock, scheduler.wake), clock)
            servicer = TrainingServicer(
                submissions, watch, Triggers(runs, workflows, clock), RunLogs(ledger, logs, clock)
            )
            contract = training_pb2.DESCRIPTOR.services_by_name["TrainingService"]
            yield Parts(
                steps,
                lifecycle.Loop("outbox", relay.run),
                lifecycle.Loop("scheduler", scheduler.run),
                lifecycle.Loop("intake", intake.run),
                lifecycle.Loop("upkeep", Upkeep(runs, clock, config.inbox_days).run),
                Server(config.rpc, [service(contract, servicer)]),
            )


async def serve(config: TrainingConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "training_scheduler"):
        async with compose(config) as parts:
            await lifecycle.run(*parts)
    if parts.steps.left:
        _leave_behind()


def policy(config: TrainingConfig) -> Policy:
    """The bounds that the configuration sets."""
    return Policy(
        max_running_steps=config.max_running_steps,
        max_attempts=config.max_attempts,
        retry_wait_s=config.retry_wait_s,
    )


def steps_of(config: TrainingConfig, workflows: Library, logs: FileLogs, ledger: Ledger) -> ThreadSteps | RaySteps:
    """Where steps run, by the configuration."""
    artifacts = FileArtifacts(config.artifacts)
    if not config.on_ray:
        return ThreadSteps(
            workflows,
            artifacts,
            logs,
            Slipway,
            grace_s=config.stop_grace_s,
            max_output_bytes=config.max_output_bytes,
        )
    place = RayPlace(
        address=config.ray.address,
        namespace=config.ray.namespace,
        cpus=config.ray.cpus_per_step,
        threads=config.ray.threads_per_step,
        import_folders=config.import_folders,
        artifacts=config.artifacts,
        max_output_bytes=config.max_output_bytes,
    )
    return RaySteps(workflows, place, logs, ledger.wanted)


def _leave_behind() -> None:
    # The interpreter's own way out would pull native code from under the threads that still run it.
    logging.shutdown()
    os._exit(0)
