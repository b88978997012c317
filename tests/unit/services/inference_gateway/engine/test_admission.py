from __future__ import annotations

import numpy as np
import pytest

from services.inference_gateway.domain.batch import Batch, Protocol
from services.inference_gateway.domain.tenant_errors import QuotaExceeded, TooManyInFlight
from services.inference_gateway.domain.tenants import Tenant, Tenants
from services.inference_gateway.domain.token_bucket import Quota
from services.inference_gateway.engine.admission import Account, Admission
from slipway.clock import ManualClock
from slipway.errors import InvalidInput


def batch(tenant: str, rows: int = 1) -> Batch:
    times = np.zeros(rows, dtype=np.int64)
    return Batch("late", rows, (), times, False, (), (), Protocol.PREDICT, tenant=tenant)


def flood(admission: Admission, tenant: str) -> list[Account]:
    """As many requests as are let in."""
    entered = []
    while True:
        try:
            entered.append(admission.enter(batch(tenant)))
        except TooManyInFlight:
            return entered


def test_a_quota_refuses_until_the_rows_fit_and_only_its_tenant() -> None:
    clock = ManualClock()
    admission = Admission(Tenants([Tenant("a", quota=Quota(10.0, 40)), Tenant("b")]), clock, 100)
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


def test_one_who_floods_leaves_room_in_flight_to_the_others() -> None:
    admission = Admission(Tenants([Tenant("a"), Tenant("b"), Tenant("c", max_in_flight=3)]), ManualClock(), 64)
    entered = flood(admission, "a")
    assert len(entered) == 32
    assert len(flood(admission, "b")) == 16
    assert len(flood(admission, "c")) == 3
    with pytest.raises(TooManyInFlight, match="32 requests of tenant 'a' are being answered"):
        admission.knock("a")
    # What it has stays; it is let in again when it has no more than is free.
    for account in entered[:25]:
        admission.leave(account)
    admission.knock("a")


def test_where_nobody_is_known_everybody_may_have_all() -> None:
    admission = Admission(Tenants(), ManualClock(), 8)
    assert len(flood(admission, "default")) == 8
