"""The five services as a client sees them: where they are, and which of their methods may be tried again."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

from slipway.errors import invalid_field

MESSAGE_BYTES = 64 * 1024 * 1024
_ATTEMPTS = 3
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Peer:
    """One service.

    ``safe`` methods give the same answer however often they arrive; ``keyed`` ones do so when the request
    carries the caller's own key or expects nothing of the state before it.
    """

    name: str
    argument: str
    port: int
    contract: str
    safe: frozenset[str]
    keyed: frozenset[str] = frozenset()

    @property
    def variable(self) -> str:
        """The environment variable with its address."""
        return f"SLIPWAY_{self.name.upper()}_ADDRESS"

    def address(self, given: str | None) -> str:
        """``given``, else the environment's, else where ``slipway up`` runs it, else the default port.

        Raises ``InvalidInput`` for an address that is not ``host:port``.
        """
        if given is not None:
            return _checked(self.argument, given)
        if from_environment := os.environ.get(self.variable):
            return _checked(self.variable, from_environment)
        # Late, for it reads settings, which are slow to import.
        from slipway.supervisor.discover import discover  # noqa: PLC0415

        return discover(self.name, "grpc") or f"127.0.0.1:{self.port}"

    def options(self, *, keyed: bool) -> list[tuple[str, str | int]]:
        """Options of a channel to it; ``keyed`` also retries the keyed methods."""
        return [
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
            ("grpc.service_config", _service_config(self.contract, self.safe | (self.keyed if keyed else set()))),
            ("grpc.service_config_disable_resolution", 1),
            # A proxy of the environment must not come between services.
            ("grpc.enable_http_proxy", 0),
            # Apart from other clients of the process, whose back-off is not ours.
            ("grpc.use_local_subchannel_pool", 1),
            # A service that restarts is found again soon.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            # Servers count pings oftener than every 5 minutes without data as abuse.
            ("grpc.keepalive_time_ms", 330_000),
            ("grpc.keepalive_timeout_ms", 20_000),
        ]


REGISTRY = Peer(
    name="registry",
    argument="registry",
    port=50051,
    contract="slipway.registry.v1.RegistryService",
    safe=frozenset(
        {
            "CancelRollout",
            "CreateModel",
            "CreateModelVersion",
            "DownloadArtifact",
            "GetEndpoint",
            "GetModel",
            "GetModelVersion",
            "ListEndpointRevisions",
            "ListEndpoints",
            "ListModelVersions",
            "ListModels",
            "ListRollouts",
            "StartRollout",
        }
    ),
    keyed=frozenset({"PutEndpoint", "RollBackEndpoint", "SetAlias"}),
)
FEATURES = Peer(
    name="feature_serving",
    argument="features",
    port=50052,
    contract="slipway.features.v1.FeatureStoreService",
    safe=frozenset(
        {
            "AwaitWatermarks",
            "CreateTrainingSet",
            "GetFeatureService",
            "GetFeatureView",
            "GetOnlineFeatures",
            "GetOnlineStore",
            "GetTrainingSet",
            "GetWatermark",
            "ListFeatureServices",
            "ListFeatureViews",
            "ListTrainingSets",
            "ListWatermarks",
            "PushRows",
        }
    ),
)
TRAINING = Peer(
    name="training_scheduler",
    argument="training",
    port=50053,
    contract="slipway.training.v1.TrainingService",
    safe=frozenset({"GetRun", "ListRuns", "ListTriggers", "ListWorkflows", "PutTrigger", "SubmitRun"}),
)
GATEWAY = Peer(
    name="inference_gateway",
    argument="gateway",
    port=8001,
    contract="slipway.inference.v1.InferenceService",
    safe=frozenset({"GetPredictionLog", "GetStatistics", "ListEndpoints", "ListTenants"}),
    keyed=frozenset({"Predict"}),
)
MONITOR = Peer(
    name="monitor",
    argument="monitor",
    port=50054,
    contract="slipway.monitor.v1.MonitorService",
    safe=frozenset(
        {
            "CompareVersions",
            "CountPredictions",
            "GetLabelCoverage",
            "GetProgress",
            "ListDeadLetters",
            "ListFeatureWindows",
            "ListIncidents",
            "ListPerformanceWindows",
            "ListPredictionWindows",
            "ListVerdicts",
            "RecordLabels",
        }
    ),
)


def token(given: str | None) -> str | None:
    """``given``, else the environment's ``SLIPWAY_TOKEN``; None where there is neither.

    Raises ``InvalidInput``, which does not show it, for one that no header can carry.
    """
    field, found = ("token", given) if given is not None else ("SLIPWAY_TOKEN", os.environ.get("SLIPWAY_TOKEN") or None)
    if found is not None and not _TOKEN.fullmatch(found):
        raise invalid_field(field, "is empty, over 4,096 characters, or has spaces or non-ASCII; give the token alone")
    return found


def _checked(field: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= 65535:
        raise invalid_field(field, f"is {address!r}; give host:port, such as 127.0.0.1:50051")
    return address


def _service_config(contract: str, methods: frozenset[str]) -> str:
    """Tell gRPC to retry, in this one layer of the stack, until too many calls of the channel fail."""
    policy = {
        "maxAttempts": _ATTEMPTS,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    names = [{"service": contract, "method": method} for method in sorted(methods)]
    return json.dumps(
        {
            "methodConfig": [{"name": names, "retryPolicy": policy}],
            "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.2},
        }
    )
