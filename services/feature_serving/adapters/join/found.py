"""What a view's rows told about each row of the spine, and what its features read as where that is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.feature_serving.adapters.join.output import TYPES
from services.feature_serving.domain.recipe import Ingredient
from services.feature_serving.domain.status import Status

Values: TypeAlias = "pa.ChunkedArray[Any] | pa.Array[Any]"


@dataclass(frozen=True, slots=True)
class Found:
    """Features by name, a value a row of the spine; ``lacks`` [rows] is the Status that a null has in each."""

    columns: Mapping[str, Values]
    lacks: npt.NDArray[Any]

    def as_read(self, ingredient: Ingredient) -> tuple[Mapping[str, Values], Mapping[str, int]]:
        """The features of their types with fallbacks where serving answers them; how often, by feature."""
        kinds = {one.name: TYPES[one.type] for one in ingredient.features}
        made: dict[str, Values] = {name: column.cast(kinds[name]) for name, column in self.columns.items()}
        taken: dict[str, int] = {}
        for one in ingredient.fallbacks:
            column = made[one.feature]
            replaced = np.isin(self.lacks, [Status[name] for name in one.replaces])
            gaps = column.is_null().to_numpy(zero_copy_only=False) & replaced
            made[one.feature] = pc.if_else(pa.array(gaps), pa.scalar(one.value, kinds[one.feature]), column)
            taken[one.feature] = int(np.count_nonzero(gaps))
        return made, taken
