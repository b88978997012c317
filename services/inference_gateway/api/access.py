"""Who may call what: decided before a message is parsed, in this one place for every transport."""

from __future__ import annotations

from collections.abc import Mapping

from services.inference_gateway.domain.tenant_errors import OperatorsOnly, TokenMissing
from services.inference_gateway.domain.tenants import Tenants
from services.inference_gateway.engine.admission import Admission
from slipway.rpc.call import Call

HEADER = "authorization"

# By the method's name. What is in none of these is for operators.
OPEN = frozenset({"ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata"})
INFERENCE = frozenset({"Predict", "StreamPredict", "ModelInfer", "ModelStreamInfer"})
TENANTS = INFERENCE | {"ListEndpoints", "ModelConfig", "ModelStatistics", "RepositoryIndex"}


class Access:
    """Names the tenant of a call, by its bearer token, and refuses what that tenant may not call."""

    def __init__(self, tenants: Tenants, admission: Admission) -> None:
        self._tenants = tenants
        self._admission = admission

    def gate(self, method: str, call: Call) -> str:
        """The tenant of a gRPC call to ``method``, a full name; see :data:`slipway.rpc.handlers.Gate`."""
        return self.tenant(method.rpartition(".")[2], None if self._tenants.anonymous else call.metadata)

    def tenant(self, method: str, headers: Mapping[str, str | bytes] | None) -> str:
        """The tenant of a call, by ``headers`` in lower case; empty where anybody may call.

        Raises TokenMissing, TokenUnknown, OperatorsOnly, TooManyInFlight.
        """
        if method in OPEN:
            return ""
        tenant = self._tenants.identify(_token(headers or {}))
        if method not in TENANTS and not tenant.operator:
            raise OperatorsOnly(tenant.name, method)
        if method in INFERENCE:
            self._admission.knock(tenant.name)
        return tenant.name


def _token(headers: Mapping[str, str | bytes]) -> str | None:
    given = headers.get(HEADER)
    if given is None:
        return None
    scheme, _, token = (given.decode("latin-1") if isinstance(given, bytes) else given).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing
    return token.strip()
