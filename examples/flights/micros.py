"""Moments as events carry them: whole microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """An aware moment's microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(us: int) -> datetime:
    """The moment, in UTC, of microseconds."""
    return _EPOCH + timedelta(microseconds=us)


def column(moments: pd.Series) -> npt.NDArray[np.int64]:
    """The microseconds of a column of aware moments, none missing."""
    us: npt.NDArray[np.int64] = moments.astype("datetime64[us, UTC]").astype("int64").to_numpy()
    return us
