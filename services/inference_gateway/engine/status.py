"""What runs, endpoint by endpoint."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from services.inference_gateway.domain.default_answer import DefaultAnswer
from services.inference_gateway.domain.desired import Endpoint, Route, VersionKey
from services.inference_gateway.domain.errors import NotReady, VersionNotServed
from services.inference_gateway.domain.signature import Signature
from services.inference_gateway.engine.arm import Arm, named
from services.inference_gateway.engine.follow import Follow
from services.inference_gateway.engine.reconcile import Reconciler


class State(enum.Enum):
    """How far an arm's desired version has come."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ArmStatus:
    """One arm: ``serving`` is the version that answers now, 0 while there is none."""

    name: str
    desired: VersionKey
    serving: int
    weight: int
    state: State
    reason: str
    provider: str
    worker_pid: int
    shadow: bool = False
    disabled_reason: str = ""


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """One endpoint."""

    name: str
    revision: int
    changed_at: datetime
    arms: tuple[ArmStatus, ...]


class Status:
    """Looks at the reconciler; changes nothing."""

    def __init__(self, reconciler: Reconciler, follow: Follow) -> None:
        self._reconciler = reconciler
        self._follow = follow

    @property
    def registry_connected(self) -> bool:
        """Whether the registry's stream is up."""
        return self._follow.connected

    @property
    def ready(self) -> bool:
        """Whether this gateway knows what to serve and serves some of it.

        One version that can't be loaded does not take the other endpoints from their callers.
        """
        return self._follow.heard and (not self._reconciler.desired.endpoints or bool(self._reconciler.serving))

    def endpoints(self) -> list[EndpointStatus]:
        """Every endpoint that is desired, by name."""
        desired = self._reconciler.effective.endpoints
        return [self._endpoint(desired[name]) for name in sorted(desired)]

    def primary(self, endpoint: str, version: str = "") -> Arm:
        """The arm that answers most of an endpoint's traffic, or the one of a version that a caller named.

        Raises EndpointNotFound, NotReady, VersionNotServed.
        """
        arms = named(endpoint, self._reconciler.arms(endpoint), version)
        return max(arms, key=lambda arm: arm.route.weight)

    def takes(self, endpoint: str, version: str = "") -> Signature:
        """What the version of :meth:`primary` takes and gives, or the one that a default answer stands in for.

        Raises as :meth:`primary`.
        """
        try:
            return self.primary(endpoint, version).runner.spec.signature
        except NotReady as error:
            desired = self._reconciler.desired
            fallback, spec = desired.endpoints[endpoint].fallback, desired.main(endpoint)
            if version or spec is None or not isinstance(fallback, DefaultAnswer) or not fallback.stands_in_for(error):
                raise
            return spec.signature

    def versions(self, endpoint: str) -> list[int]:
        """The numbers of the versions that answer for an endpoint. Raises EndpointNotFound, NotReady."""
        return sorted({arm.route.version.number for arm in self._reconciler.arms(endpoint)})

    def answers(self, endpoint: str, version: str = "") -> bool:
        """Whether a call for the endpoint (and version) would find a loaded model. Raises EndpointNotFound."""
        try:
            return not self.primary(endpoint, version).runner.quarantined
        except (NotReady, VersionNotServed):
            return False

    def _endpoint(self, endpoint: Endpoint) -> EndpointStatus:
        serving = {arm.route.name: arm for arm in self._reconciler.serving.get(endpoint.name, ())}
        arms = tuple(self._arm(endpoint.name, route, serving.get(route.name)) for route in endpoint.routes)
        return EndpointStatus(endpoint.name, endpoint.revision, self._reconciler.changed_at, arms)

    def _arm(self, endpoint: str, route: Route, arm: Arm | None) -> ArmStatus:
        worker = arm.runner.worker if arm else None
        reason = self._reconciler.failures.get(route.version, "")
        current = arm is not None and arm.route.version == route.version
        state = State.FAILED if reason else State.READY if current else State.LOADING
        return ArmStatus(
            name=route.name,
            desired=route.version,
            serving=arm.route.version.number if arm else 0,
            weight=route.weight,
            state=state,
            reason=reason,
            provider=worker.provider if worker else "",
            worker_pid=worker.pid if worker else 0,
            shadow=route.shadow,
            disabled_reason=self._reconciler.disabled_reason(endpoint, route.name),
        )
