"""Who may ask, for how much, and how their tokens tell them apart."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.inference_gateway.domain.tenant_errors import TokenMissing, TokenUnknown
from services.inference_gateway.domain.token_bucket import Quota

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One who asks. ``weight`` is its share where several wait; no ``quota``, and 0 in flight, are without a limit.

    ``digests`` are SHA-256 of the tokens that it may come with. An ``operator`` may see and steer the gateway itself.
    """

    name: str
    digests: tuple[bytes, ...] = ()
    weight: float = 1.0
    quota: Quota | None = None
    max_in_flight: int = 0
    operator: bool = False


class Tenants:
    """Those who are known. Where there are none, everybody is the tenant ``default``, and an operator."""

    def __init__(self, tenants: Iterable[Tenant] = ()) -> None:
        known = tuple(tenants)
        self.anonymous = not known
        self.all = known or (Tenant(DEFAULT, operator=True),)
        self._by_digest = {digest: tenant for tenant in known for digest in tenant.digests}

    @property
    def weights(self) -> Mapping[str, float]:
        """Each tenant's share, by name."""
        return {tenant.name: tenant.weight for tenant in self.all}

    def identify(self, token: str | None) -> Tenant:
        """Whose token it is. Raises TokenMissing, TokenUnknown."""
        if self.anonymous:
            return self.all[0]
        if token is None:
            raise TokenMissing
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        # Found by a hash of the token, then compared in constant time: how long it takes says nothing of any token.
        tenant = self._by_digest.get(digest)
        if tenant is None or not any(hmac.compare_digest(one, digest) for one in tenant.digests):
            raise TokenUnknown
        return tenant
