"""What the registry tells the world, one value an event."""

from __future__ import annotations

from dataclasses import dataclass

from services.registry.domain.endpoint import Endpoint
from services.registry.domain.model import ModelVersion


@dataclass(frozen=True, slots=True)
class VersionCreated:
    """A version was registered."""

    version: ModelVersion


@dataclass(frozen=True, slots=True)
class AliasMoved:
    """An alias points elsewhere; 0 stands for nowhere."""

    model: str
    alias: str
    from_version: int
    to_version: int


@dataclass(frozen=True, slots=True)
class EndpointPut:
    """An endpoint should now be like this."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class EndpointDeleted:
    """An endpoint should no longer be served."""

    name: str


Change = VersionCreated | AliasMoved | EndpointPut | EndpointDeleted
