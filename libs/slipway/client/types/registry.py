"""Models, versions, aliases and endpoints."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from slipway.client.types.baselines import Baseline
from slipway.client.types.endpoints import Experiment, Fallback, Guardrails, RevisionCause
from slipway.client.types.rollouts import Rollout


class DataType(enum.StrEnum):
    """The type of a column's values or a tensor's elements, by the Open Inference Protocol's names."""

    UNSPECIFIED = "UNSPECIFIED"
    BOOL = "BOOL"
    INT32 = "INT32"
    INT64 = "INT64"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"
    INT8 = "INT8"
    INT16 = "INT16"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    FP16 = "FP16"


@dataclass(frozen=True, slots=True)
class Alias:
    """A movable pointer to one version of a model, such as ``champion``."""

    name: str
    version: int
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A name under which versions gather; ``latest_version`` is 0 while there is none."""

    name: str
    owner: str
    description: str = ""
    create_time: datetime | None = None
    aliases: tuple[Alias, ...] = ()
    latest_version: int = 0


@dataclass(frozen=True, slots=True)
class Artifact:
    """Bytes in the artifact store, by ``sha256:`` and 64 lower-case hexadecimal digits."""

    digest: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One feature column that a version takes; ``nullable`` when a value may be absent.

    ``feature`` is the ``view:feature`` that holds it; empty when whoever asks gives the column. ``shape`` is that of a
    row's values, such as (32,) or (3, 224, 224); empty for one value a row.
    """

    name: str
    datatype: DataType
    nullable: bool = False
    description: str = ""
    feature: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor that a version gives; in ``shape``, -1 stands for the rows of the batch and comes first."""

    name: str
    datatype: DataType
    shape: tuple[int, ...] = (-1,)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a version takes, in the model's order, and what it answers with.

    ``entities`` are the join keys that the features of ``inputs`` are read by: BYTES (text) or INT64.
    """

    inputs: tuple[ColumnSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    entities: tuple[ColumnSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class DataReference:
    """The data a version was trained on: its digest, where it came from, and its rows.

    ``training_set`` is its id at the feature service; ``definitions`` made it, as ``view@revision``.
    """

    digest: str
    source: str = ""
    row_count: int = 0
    training_set: str = ""
    definitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeReference:
    """The code that trained a version: digest of its files, version-control revision, workflow."""

    digest: str
    revision: str = ""
    workflow: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from; ``run_id`` is empty when it was made outside the scheduler."""

    data: DataReference | None = None
    code: CodeReference | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One immutable, servable state of a model; ``number`` counts from 1 and is the registry's to give."""

    model: str
    number: int
    artifact: Artifact
    signature: Signature
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    lineage: Lineage = Lineage()
    create_time: datetime | None = None
    baseline: Baseline | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One arm of an endpoint: exactly one of ``version`` and ``alias``, and a share of 0 to 10000.

    ``resolved_version`` is what the target stands for now; the registry sets it. A ``shadow`` also scores the rows that
    other arms answer, for the log alone; with weight 0 it never answers.
    """

    name: str
    model: str
    version: int | None = None
    alias: str | None = None
    weight: int = 1
    resolved_version: int = 0
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name that applications call, and where its traffic goes; ``rollout`` is the latest, running or ended.

    ``sticky_by`` names the entity keys that choose a row's arm; none for all that a request gives.
    """

    name: str
    routes: tuple[Route, ...]
    revision: int = 0
    update_time: datetime | None = None
    rollout: Rollout | None = None
    guardrails: Guardrails | None = None
    fallback: Fallback | None = None
    sticky_by: tuple[str, ...] = ()
    experiment: Experiment | None = None


@dataclass(frozen=True, slots=True)
class EndpointRevision:
    """What an endpoint should have been from one change to the next: no routes when it was deleted.

    ``reason`` is for people; ``rollout_id`` names the rollout that ran then or changed it.
    """

    endpoint: Endpoint
    cause: RevisionCause
    reason: str = ""
    rollout_id: str = ""


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """Desired state, or a change of it.

    On a ``snapshot`` the receiver forgets every endpoint that is not in ``endpoints``. ``versions`` are those
    that the routes of ``endpoints`` resolve to; ``deleted`` are names.
    """

    revision: int
    snapshot: bool
    endpoints: tuple[Endpoint, ...] = ()
    deleted: tuple[str, ...] = ()
    versions: tuple[ModelVersion, ...] = ()
