"""How far a view's rows have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Watermark:
    """Rows of ``view`` up to ``event_time_us``, microseconds since 1970, are in the online store.

    ``late_rows`` came to a windowed view after the watermark had passed them.
    """

    view: str
    event_time_us: int
    update_time: datetime
    late_rows: int = 0
