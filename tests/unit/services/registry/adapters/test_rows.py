from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from services.registry.adapters.rows import draft_columns, version_of
from services.registry.domain.model import Artifact, ColumnSpec, DataType, Draft, Lineage, Signature, TensorSpec

KEY = ColumnSpec("plane", DataType.BYTES)
SIGNATURE = Signature(
    (ColumnSpec("distance", DataType.FP32, feature="plane:distance"),), (TensorSpec("y", DataType.FP32, (-1,)),), (KEY,)
)
DRAFT = Draft("m", Artifact("sha256:" + "a" * 64, 1), SIGNATURE, {}, {}, Lineage())


def test_a_version_that_was_stored_before_there_were_shapes_is_read() -> None:
    stored: dict[str, Any] = json.loads(json.dumps(draft_columns(DRAFT)))
    for column in (*stored["signature"]["inputs"], *stored["signature"]["entities"]):
        del column["shape"]
    row: Any = SimpleNamespace(**stored, number=1, create_time=datetime(2013, 1, 1, tzinfo=UTC))
    assert version_of(row).draft == DRAFT
