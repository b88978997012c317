"""What a gateway does now and did since its start, endpoint by endpoint and version by version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.inference_gateway.domain.desired import Route, VersionKey
from services.inference_gateway.engine.dispatch import Dispatch
from services.inference_gateway.engine.intake import Intake
from services.inference_gateway.engine.lane import Load
from services.inference_gateway.engine.meter import ArmCount, Meter, VersionCount
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.statistics import Statistics
from services.inference_gateway.ports import Worker
from slipway.clock import Clock


@dataclass(frozen=True, slots=True)
class ArmVitals:
    """What an arm answered."""

    route: Route
    count: ArmCount
    failed_requests: int


@dataclass(frozen=True, slots=True)
class EndpointVitals:
    """What waits at an endpoint, and its arms."""

    name: str
    waiting_requests: int
    waiting_rows: int
    arms: Sequence[ArmVitals]


@dataclass(frozen=True, slots=True)
class WorkerVitals:
    """A process, where it runs, and the bytes that it has in memory."""

    pid: int
    provider: str
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class VersionVitals:
    """What a version's workers did and have to do."""

    version: VersionKey
    count: VersionCount
    load: Load
    workers: Sequence[WorkerVitals]


class Vitals:
    """Looks at what others count; counts nothing."""

    def __init__(
        self,
        reconciler: Reconciler,
        intake: Intake,
        dispatch: Dispatch,
        *,
        meter: Meter,
        statistics: Statistics,
        resident_bytes: Callable[[int], int],
        clock: Clock,
    ) -> None:
        """``resident_bytes`` tells what a process takes, by its id."""
        self._reconciler = reconciler
        self._intake = intake
        self._dispatch = dispatch
        self._meter = meter
        self._statistics = statistics
        self._resident_bytes = resident_bytes
        self.since = clock.now()
        """When counting began."""

    def endpoints(self) -> list[EndpointVitals]:
        """Those that are served, by name."""
        return [self._endpoint(name) for name in sorted(self._reconciler.serving)]

    def versions(self) -> list[VersionVitals]:
        """Those that serve them, by model and number."""
        runners = {arm.route.version: arm.runner for arms in self._reconciler.serving.values() for arm in arms}
        return [
            VersionVitals(
                key,
                self._meter.version(key),
                self._dispatch.load(runners[key]),
                [self._worker(one) for one in runners[key].workers],
            )
            for key in sorted(runners)
        ]

    def _endpoint(self, name: str) -> EndpointVitals:
        routes = [arm.route for arm in self._reconciler.serving[name]]
        return EndpointVitals(name, *self._intake.waiting(name), [self._arm(name, route) for route in routes])

    def _arm(self, endpoint: str, route: Route) -> ArmVitals:
        tally = self._statistics.of(endpoint, route.version)
        return ArmVitals(route, self._meter.arm(endpoint, route.version, route.name), tally.fail.count)

    def _worker(self, worker: Worker) -> WorkerVitals:
        return WorkerVitals(worker.pid, worker.provider, self._resident_bytes(worker.pid))
