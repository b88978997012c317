"""The registry's stream of desired state, reconnected for ever, and its artifacts, kept on disk."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from services.inference_gateway.domain.default_answer import DefaultAnswer
from services.inference_gateway.domain.desired import Endpoint, Limits, Route, Step, VersionKey, VersionSpec
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, TensorSpec
from slipway.artifacts import ArtifactNotFound, ArtifactStore, CorruptArtifact
from slipway.client import (
    AsyncSlipway,
    EndpointChange,
    FallbackVersion,
    FeatureBaseline,
    Guardrails,
    ModelVersion,
)
from slipway.client import ColumnSpec as RegisteredColumn
from slipway.client import DefaultAnswer as RegisteredDefault
from slipway.client import Endpoint as RegisteredEndpoint
from slipway.client import Route as RegisteredRoute
from slipway.clock import Clock
from slipway.errors import Exhausted, SlipwayError, Unavailable

log = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0


class RegistryStream:
    """See :class:`services.inference_gateway.ports.DesiredStates`."""

    def __init__(self, slipway: AsyncSlipway, subscriber: str, clock: Clock) -> None:
        self._slipway = slipway
        self._subscriber = subscriber
        self._clock = clock
        self._connected = False

    @property
    def connected(self) -> bool:
        """See DesiredStates."""
        return self._connected

    async def follow(self) -> AsyncIterator[Step]:
        """See DesiredStates."""
        delay = _FIRST_DELAY_S
        told = False
        while True:
            try:
                async for change in self._slipway.registry.watch_endpoints(self._subscriber):
                    self._connected, told = True, False
                    delay = _FIRST_DELAY_S
                    yield _step(change)
            except SlipwayError as error:
                if not told:
                    log.warning("no stream from the registry; the last snapshot serves", extra={"why": error.message})
                told = True
            self._connected = False
            await self._clock.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)


class RegistryModels:
    """See :class:`services.inference_gateway.ports.Models`: the registry's artifacts, each fetched once."""

    def __init__(self, slipway: AsyncSlipway, kept: ArtifactStore, limit_bytes: int) -> None:
        self._slipway = slipway
        self._kept = kept
        self._limit_bytes = limit_bytes

    async def fetch(self, spec: VersionSpec) -> bytes:
        """See Models."""
        try:
            return await self._kept.read(spec.digest)
        except ArtifactNotFound:
            pass  # the first time on this machine
        except CorruptArtifact:
            log.warning("a kept artifact is damaged and is fetched again", extra={"digest": spec.digest})
        model = await self._slipway.registry.download_artifact(spec.digest)
        try:
            await self._kept.put(_once(model), limit_bytes=self._limit_bytes)
        except (Exhausted, Unavailable) as error:
            log.warning("an artifact is served but not kept", extra={"digest": spec.digest, "why": error.message})
        return model


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _step(change: EndpointChange) -> Step:
    return Step(
        revision=change.revision,
        snapshot=change.snapshot,
        endpoints=[_endpoint(one) for one in change.endpoints],
        deleted=change.deleted,
        versions=[_version(one) for one in change.versions if _readable(one)],
    )


def _endpoint(one: RegisteredEndpoint) -> Endpoint:
    return Endpoint(
        one.name,
        tuple(_route(arm, one) for arm in one.routes),
        one.revision,
        _limits(one.guardrails) if one.guardrails else Limits(),
        _fallback(one.fallback),
    )


def _route(arm: RegisteredRoute, endpoint: RegisteredEndpoint) -> Route:
    version = VersionKey(arm.model, arm.resolved_version)
    experiment = endpoint.experiment
    if experiment is None or arm.name not in experiment.arms:
        return Route(arm.name, version, arm.weight, arm.shadow, sticky_by=endpoint.sticky_by)
    salt = experiment.salt or experiment.name
    return Route(arm.name, version, arm.weight, arm.shadow, f"experiment/{salt}", endpoint.sticky_by, experiment.name)


def _limits(rails: Guardrails) -> Limits:
    p99_s = None if rails.max_p99_latency_ms is None else rails.max_p99_latency_ms / 1e3
    return Limits(rails.max_error_share, p99_s, rails.window_batches, rails.min_batches)


def _fallback(told: FallbackVersion | RegisteredDefault | None) -> VersionKey | DefaultAnswer | None:
    if isinstance(told, RegisteredDefault):
        return DefaultAnswer(told.outputs, told.when_not_ready, told.when_features_unavailable)
    return VersionKey(told.resolved_model, told.resolved_version) if told and told.resolved_version else None


def _readable(version: ModelVersion) -> bool:
    """Whether every data type is one of ours: a newer registry may know more."""
    known = {kind.value for kind in DataType}
    signature = version.signature
    datatypes = [one.datatype for one in (*signature.inputs, *signature.entities)]
    return all(one.value in known for one in (*datatypes, *(one.datatype for one in signature.outputs)))


def _version(version: ModelVersion) -> VersionSpec:
    told = {one.name: one for one in version.baseline.features} if version.baseline else {}
    signature = Signature(
        tuple(_column(one, told.get(one.name)) for one in version.signature.inputs),
        tuple(TensorSpec(one.name, DataType(one.datatype.value), one.shape) for one in version.signature.outputs),
        tuple(_column(one) for one in version.signature.entities),
    )
    return VersionSpec(VersionKey(version.model, version.number), version.artifact.digest, signature)


def _column(one: RegisteredColumn, told: FeatureBaseline | None = None) -> ColumnSpec:
    return ColumnSpec(
        one.name,
        DataType(one.datatype.value),
        one.nullable,
        one.feature,
        one.shape,
        told.minimum if told else None,
        told.maximum if told else None,
        told.typical if told else None,
    )
