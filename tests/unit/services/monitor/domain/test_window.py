from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.monitor.domain.window import Span
from slipway.errors import InvalidInput

EARLY, LATE = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("span", [Span(""), Span("flight-delay", EARLY, LATE), Span("", None, EARLY), Span("", LATE)])
def test_a_stretch_may_be_open_at_either_end(span: Span) -> None:
    assert span.check() is span


@pytest.mark.parametrize(
    ("span", "field"),
    [(Span("No Such!"), "endpoint"), (Span("", LATE, EARLY), "start_time"), (Span("", EARLY, EARLY), "start_time")],
)
def test_a_stretch_that_is_none_is_refused(span: Span, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        span.check()
    assert raised.value.violations[0].field == field
