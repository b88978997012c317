from __future__ import annotations

import numpy as np
import pytest

from services.inference_gateway.domain.batch import Batch, Protocol
from services.inference_gateway.domain.tenant_errors import QuotaExceeded, TooManyInFlight
from services.inference_gateway.domain.tenants import Tenant, Tenants
from services.inference_gateway.domain.token_bucket import Quota
from services.inference_gateway.engine.admission import Admission
from slipway.clock import ManualClock
from slipway.errors import InvalidInput


def batch(tenant: str, rows: int = 1) -> Batch:
    times = np.zeros(rows, dtype=np.int64)
    return Batch("late", rows, (), times, False, (), (), Protocol.PREDICT, tenant=tenant)


def test_a_quota_refuses_until_the_rows_fit_and_only_its_tenant() -> None:
    clock = ManualClock()
    admission = Admission(Tenants([Tenant("a", quota=Quota(10.0, 40)), Tenant("b")]), clock)
    admission.leave(admission.enter(batch("a", 40)))
    with pytest.raises(QuotaExceeded) as refused:
        admission.enter(batch("a", 5))
    assert refused.value.retry_after_s == 0.5
    admission.leave(admission.enter(batch("b", 4000)))
    clock.advance(0.5)
    admission.leave(admission.enter(batch("a", 5)))
    with pytest.raises(InvalidInput, match="features: has 41 rows; tenant 'a' may ask about 40 at once"):
        admission.enter(batch("a", 41))
    a, b = admission.accounts()
    assert (a.requests, a.rows, a.refused, a.in_flight) == (2, 45, 2, 0)
    assert (b.requests, b.rows, b.refused, b.in_flight) == (1, 4000, 0, 0)


def test_no_more_than_may_be_are_in_flight() -> None:
    admission = Admission(Tenants([Tenant("a", max_in_flight=2), Tenant("b")]), ManualClock())
    entered = [admission.enter(batch(tenant)) for tenant in "aabbb"]
    with pytest.raises(TooManyInFlight, match="2 requests of tenant 'a' are being answered"):
        admission.enter(batch("a"))
    with pytest.raises(TooManyInFlight):
        admission.knock("a")
    admission.knock("b")
    admission.leave(entered[0])
    admission.knock("a")
    a, b = admission.accounts()
    assert (a.in_flight, a.refused, b.in_flight) == (1, 2, 3)


def test_several_come_in_at_once_where_all_of_them_may() -> None:
    clock = ManualClock()
    admission = Admission(Tenants([Tenant("a", quota=Quota(10.0, 40)), Tenant("b", max_in_flight=3)]), clock)
    assert admission.enter_together(batch("a", 41), 41) is None
    a = admission.enter_together(batch("a", 40), 20)
    assert a is not None
    assert admission.enter_together(batch("a", 2), 2) is None
    assert admission.enter_together(batch("b", 8), 4) is None
    b = admission.enter_together(batch("b", 8), 2)
    assert b is not None
    assert admission.enter_together(batch("b", 2), 2) is None
    assert [(one.requests, one.rows, one.refused, one.in_flight) for one in (a, b)] == [(20, 40, 0, 20), (2, 8, 0, 2)]
    admission.leave(b)
    admission.leave(b)
    assert admission.enter_together(batch("b", 3), 3) is b
    assert (b.requests, b.in_flight) == (5, 3)
