"""Models, versions, aliases: the values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.registry.domain.baseline import Baseline


class DataType(enum.StrEnum):
    """The types of columns and tensors, by their names in the Open Inference Protocol."""

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
class ColumnSpec:
    """One feature column that a version takes; ``feature`` is the `view:feature` that holds it, empty without one.

    ``shape`` is that of a row's values, empty for one value a row.
    """

    name: str
    datatype: DataType
    nullable: bool = False
    description: str = ""
    feature: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor that a version gives; -1 in the shape stands for the rows of the batch."""

    name: str
    datatype: DataType
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a version takes, in the model's order, and gives; its features are read by ``entities``."""

    inputs: tuple[ColumnSpec, ...]
    outputs: tuple[TensorSpec, ...]
    entities: tuple[ColumnSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """Stored bytes."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DataReference:
    """The data a version was trained on."""

    digest: str = ""
    source: str = ""
    row_count: int = 0
    training_set: str = ""
    definitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeReference:
    """The code that trained it."""

    digest: str = ""
    revision: str = ""
    workflow: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from."""

    data: DataReference = field(default_factory=DataReference)
    code: CodeReference = field(default_factory=CodeReference)
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A version before it has a number."""

    model: str
    artifact: Artifact
    signature: Signature
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    lineage: Lineage
    baseline: Baseline | None = None

    @property
    def carried_bytes(self) -> int:
        """About how many bytes a message carries it in; never fewer."""
        columns = (*self.signature.inputs, *self.signature.entities)
        data, code = self.lineage.data, self.lineage.code
        texts = [text for column in columns for text in (column.name, column.description, column.feature)]
        texts += [data.digest, data.source, data.training_set, *data.definitions]
        texts += [code.digest, code.revision, code.workflow, self.lineage.run_id, *self.params, *self.params.values()]
        rest = (
            sum(20 + 10 * len(one.shape) for one in columns)
            + 20 * len(self.metrics)
            + sum(600 + 10 * len(one.shape) for one in self.signature.outputs)
        )
        held = sum(4 * len(text) + 6 for text in (*texts, *self.metrics)) + rest + 1_000
        return held + (self.baseline.carried_bytes if self.baseline else 0)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One immutable, servable state of a model."""

    number: int
    draft: Draft
    create_time: datetime

    @property
    def model(self) -> str:
        """The model's name."""
        return self.draft.model


@dataclass(frozen=True, slots=True)
class Alias:
    """A movable pointer to one version."""

    model: str
    name: str
    version: int
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Model:
    """A name under which versions gather."""

    name: str
    owner: str
    description: str
    create_time: datetime
    latest_version: int = 0
    aliases: tuple[Alias, ...] = ()
