"""Letting tenants in: each within its quota and its share of what is answered at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from services.inference_gateway.domain.answer import Prediction
from services.inference_gateway.domain.batch import Batch, one_request
from services.inference_gateway.domain.tenant_errors import QuotaExceeded, TooManyInFlight
from services.inference_gateway.domain.tenants import Tenant, Tenants
from services.inference_gateway.domain.token_bucket import TokenBucket
from services.inference_gateway.engine.ask import Part
from services.inference_gateway.engine.bundle import Outcome, Tell
from services.inference_gateway.engine.predict import Predict
from slipway.clock import Clock
from slipway.errors import Exhausted, invalid_field
from slipway.observe.spans import trace_id_of


@dataclass(slots=True)
class Account:
    """How a tenant stands: ``in_flight`` requests are being answered; the other counts are since the start."""

    tenant: Tenant
    bucket: TokenBucket | None
    in_flight: int = 0
    requests: int = 0
    rows: int = 0
    refused: int = 0


class Admission:
    """Counts what each tenant asks, and refuses what is beyond its limits. The counts are those of this process."""

    def __init__(self, tenants: Tenants, clock: Clock) -> None:
        now = clock.monotonic()
        self._accounts = {
            one.name: Account(one, TokenBucket(one.quota, now) if one.quota else None) for one in tenants.all
        }
        self._clock = clock

    def accounts(self) -> Sequence[Account]:
        """Every tenant's, in order of name."""
        return [self._accounts[name] for name in sorted(self._accounts)]

    def knock(self, tenant: str) -> None:
        """Before a request is looked at: whether any would be let in. Raises TooManyInFlight."""
        self._check_flight(self._accounts[tenant])

    def enter(self, batch: Batch) -> Account:
        """Let a request in; :meth:`leave` must follow. Raises QuotaExceeded, TooManyInFlight, InvalidInput."""
        account = self._accounts[batch.tenant]
        if account.tenant.max_in_flight:
            self._check_flight(account)
        if account.bucket is not None:
            self._charge(account, account.bucket, batch)
        account.requests += 1
        account.rows += batch.rows
        account.in_flight += 1
        return account

    def enter_together(self, batch: Batch, requests: int) -> Account | None:
        """Let several requests in at once; None, and nothing has changed, where each has to be looked at."""
        account = self._accounts[batch.tenant]
        limit, bucket = account.tenant.max_in_flight, account.bucket
        if limit and account.in_flight + requests > limit:
            return None
        if bucket is not None and bucket.take(batch.rows, self._clock.monotonic()):
            return None
        account.requests += requests
        account.rows += batch.rows
        account.in_flight += requests
        return account

    def leave(self, account: Account) -> None:
        """It is answered, or its caller is gone."""
        account.in_flight -= 1

    def refused(self, tenant: str) -> None:
        """A request was refused elsewhere, for what others or its tenant have there."""
        self._accounts[tenant].refused += 1

    def _check_flight(self, account: Account) -> None:
        limit = account.tenant.max_in_flight
        if limit and account.in_flight >= limit:
            account.refused += 1
            raise TooManyInFlight(account.tenant.name, limit)

    def _charge(self, account: Account, bucket: TokenBucket, batch: Batch) -> None:
        name, quota = account.tenant.name, bucket.quota
        if batch.rows > quota.burst_rows:
            account.refused += 1
            told = f"has {batch.rows} rows; tenant {name!r} may ask about {quota.burst_rows} at once, split the request"
            raise invalid_field(batch.protocol.field, told)
        if wait_s := bucket.take(batch.rows, self._clock.monotonic()):
            account.refused += 1
            raise QuotaExceeded(name, quota.rows_per_s, wait_s)


class Admitted:
    """:class:`Predict` for tenants: what every protocol asks. Raises what :meth:`Admission.enter` does, too."""

    def __init__(self, predict: Predict, admission: Admission) -> None:
        self._predict = predict
        self._admission = admission

    async def predictions(self, batch: Batch) -> Sequence[Prediction]:
        """See :meth:`Predict.predictions`."""
        account = self._admission.enter(batch)
        try:
            return await self._predict.predictions(batch)
        except Exhausted:
            account.refused += 1
            raise
        finally:
            self._admission.leave(account)

    async def by_one(self, batch: Batch, version: str = "") -> Part:
        """The part of a whole, see :meth:`Predict.parts`."""
        [part] = await self._parts(batch, whole=True, version=version)
        return part

    def bundle(
        self,
        batch: Batch,
        requests: int,
        tell: Tell,
        *,
        whole: bool,
        version: str = "",
        traces: Sequence[SpanContext] = (),
    ) -> asyncio.Future[Any]:
        """See :meth:`Predict.bundle`."""
        account = self._admission.enter_together(batch, requests)
        if account is None:
            rows, spans = batch.rows // requests, traces or [INVALID_SPAN_CONTEXT] * requests
            each = [
                self._parts(_one(batch, number * rows, rows, span), span, whole=whole, version=version)
                for number, span in enumerate(spans)
            ]
            return asyncio.gather(*[_told(one, number, tell) for number, one in enumerate(each)])
        inside = _Inside(account, requests, tell)
        try:
            answered = self._predict.bundle(batch, requests, inside.tell, whole=whole, version=version, traces=traces)
        except BaseException as error:
            inside.end(error)
            raise
        answered.add_done_callback(inside.ended)
        return answered

    async def _parts(
        self, batch: Batch, span: SpanContext | None = None, *, whole: bool, version: str
    ) -> Sequence[Part]:
        account = self._admission.enter(batch)
        try:
            return await self._predict.parts(batch, whole=whole, version=version, span=span)
        except Exhausted:
            account.refused += 1
            raise
        finally:
            self._admission.leave(account)


def _one(batch: Batch, start: int, rows: int, span: SpanContext) -> Batch:
    return replace(one_request(batch, start, rows), trace_id=trace_id_of(span))


async def _told(parts: Coroutine[Any, Any, Sequence[Part]], number: int, tell: Tell) -> None:
    """Tell what becomes of one of several requests that are not let in at once."""
    outcome: Outcome
    try:
        outcome = await parts
    except Exception as error:
        outcome = error  # which is this caller's alone
    try:
        tell([number], [outcome])
    except Exception as defect:
        tell([number], [defect])  # of this one, and of no other


class _Inside:
    """Requests that were let in at once: each leaves as it is told."""

    __slots__ = ("_account", "_left", "_tell")

    def __init__(self, account: Account, requests: int, tell: Tell) -> None:
        self._account = account
        self._left = requests
        self._tell = tell

    def tell(self, numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Some are answered, or failed."""
        self._tell(numbers, outcomes)
        self._left -= len(outcomes)
        self._account.in_flight -= len(outcomes)
        self._account.refused += len([one for one in outcomes if isinstance(one, Exhausted)])

    def end(self, error: BaseException | None) -> None:
        """Nobody is left; those who were ended with the error."""
        self._account.in_flight -= self._left
        if isinstance(error, Exhausted):
            self._account.refused += self._left
        self._left = 0

    def ended(self, answered: asyncio.Future[Any]) -> None:
        """The same, of those that were begun."""
        self.end(None if answered.cancelled() else answered.exception())
