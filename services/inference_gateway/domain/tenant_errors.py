"""How tenants are refused: strangers, and what is over their limits."""

from __future__ import annotations

from slipway.errors import Exhausted, Kind, SlipwayError


class TokenMissing(SlipwayError):
    """The gateway knows tenants, and the call does not say whose it is."""

    kind = Kind.UNAUTHENTICATED
    reason = "TOKEN_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "authorization: is missing; send `authorization: Bearer TOKEN` with the token of a tenant of this gateway"
        )


class TokenUnknown(SlipwayError):
    """The token is no tenant's."""

    kind = Kind.UNAUTHENTICATED
    reason = "TOKEN_UNKNOWN"

    def __init__(self) -> None:
        super().__init__("authorization: no tenant of this gateway has this token; ask its operator for one")


class OperatorsOnly(SlipwayError):
    """The call is for those who run the gateway."""

    kind = Kind.PERMISSION_DENIED
    reason = "OPERATORS_ONLY"

    def __init__(self, tenant: str, method: str) -> None:
        super().__init__(
            f"tenant {tenant!r} may not call {method}: it is for tenants with `operator = true`",
            facts={"tenant": tenant, "method": method},
        )


class QuotaExceeded(Exhausted):
    """The tenant asks about more rows a second than it may; ``retry_after_s`` is when these fit."""

    reason = "QUOTA_EXCEEDED"

    def __init__(self, tenant: str, rows_per_s: float, retry_after_s: float) -> None:
        super().__init__(
            f"tenant {tenant!r} may ask about {rows_per_s:g} rows a second; try again in {retry_after_s:.3g} s",
            facts={"tenant": tenant, "rows_per_s": f"{rows_per_s:g}"},
            retry_after_s=retry_after_s,
        )


class TooManyInFlight(Exhausted):
    """As many of the tenant's requests are being answered as may be at once."""

    reason = "TOO_MANY_IN_FLIGHT"

    def __init__(self, tenant: str, limit: int) -> None:
        super().__init__(
            f"{limit} requests of tenant {tenant!r} are being answered, its limit; try again when one of them is",
            facts={"tenant": tenant, "limit": str(limit)},
            retry_after_s=0.05,
        )
