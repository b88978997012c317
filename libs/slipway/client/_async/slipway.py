"""The whole platform behind one object."""

from __future__ import annotations

from typing import Self

from slipway.client import peers
from slipway.client._async.features import Features
from slipway.client._async.inference import Inference
from slipway.client._async.monitor import Monitor
from slipway.client._async.registry import Registry
from slipway.client._async.training import Training
from slipway.client._async.transport import AsyncStub
from slipway.errors import invalid_field


class AsyncSlipway:
    """One client of all services; a service is dialled when it is first called.

    An address is ``host:port``. One that is not given is taken from ``SLIPWAY_<SERVICE>_ADDRESS``, else from the
    ``slipway up`` that runs on this data root, else it is the service's default port on this machine.
    ``token`` says to the gateway which tenant calls; one that is not given is taken from ``SLIPWAY_TOKEN``.
    ``timeout_s`` bounds each call that does not say its own; inside a call being answered, what remains of that
    call's deadline bounds it too. Every method raises ``SlipwayError`` and nothing of gRPC's.
    """

    def __init__(
        self,
        *,
        registry: str | None = None,
        features: str | None = None,
        training: str | None = None,
        gateway: str | None = None,
        monitor: str | None = None,
        token: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        if not timeout_s > 0:
            raise invalid_field("timeout_s", f"is {timeout_s!r}; give seconds above 0")
        self._stubs = [
            AsyncStub(peers.REGISTRY, registry, timeout_s),
            AsyncStub(peers.FEATURES, features, timeout_s),
            AsyncStub(peers.TRAINING, training, timeout_s),
            AsyncStub(peers.GATEWAY, gateway, timeout_s, peers.token(token)),
            AsyncStub(peers.MONITOR, monitor, timeout_s),
        ]
        self.registry = Registry(self._stubs[0])
        self.features = Features(self._stubs[1])
        self.training = Training(self._stubs[2])
        self.inference = Inference(self._stubs[3])
        self.monitor = Monitor(self._stubs[4])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; calls that still run fail with ``ClientClosed``."""
        for stub in self._stubs:
            await stub.aclose()
