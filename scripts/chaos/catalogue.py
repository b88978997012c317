"""Every load and every fault, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from scripts.chaos.fault import Fault
from scripts.chaos.faults.backing import BrokerLost, BrokerRestart, DatabaseRestart, RedisFlush
from scripts.chaos.faults.clocks import ClockJump
from scripts.chaos.faults.disk import DiskFull
from scripts.chaos.faults.failpoint import KillAtFailpoint
from scripts.chaos.faults.medley import Medley
from scripts.chaos.faults.messages import Poison, Redeliver
from scripts.chaos.faults.network import Partition
from scripts.chaos.faults.outage import EventLogAway, SpoolFull
from scripts.chaos.faults.process import Kill, Pause, Takeover
from scripts.chaos.load import Load
from scripts.chaos.loads.feature_serving import FeatureServingLoad
from scripts.chaos.loads.inference_gateway import InferenceGatewayLoad
from scripts.chaos.loads.monitor import MonitorLoad
from scripts.chaos.loads.registry import RegistryLoad
from scripts.chaos.loads.training_scheduler import TrainingSchedulerLoad

LOADS: Mapping[str, Callable[[], Load]] = {
    "registry": RegistryLoad,
    "feature_serving": FeatureServingLoad,
    "inference_gateway": InferenceGatewayLoad,
    "monitor": MonitorLoad,
    "training_scheduler": TrainingSchedulerLoad,
}
FAULTS: Mapping[str, Callable[[], Fault]] = {
    "kill": Kill,
    "kill-at-failpoint": KillAtFailpoint,
    "pause": Pause,
    "takeover": Takeover,
    "partition": Partition,
    "redeliver": Redeliver,
    "poison": Poison,
    "redis-flush": RedisFlush,
    "disk-full": DiskFull,
    "clock-jump": ClockJump,
    "broker-restart": BrokerRestart,
    "broker-lost": BrokerLost,
    "database-restart": DatabaseRestart,
    "event-log-away": EventLogAway,
    "spool-full": SpoolFull,
}
MEDLEY = "medley"
"""Of all faults, those that are quick, on one platform; only where it is asked for by name."""


def fault(name: str) -> Fault:
    """A fault by its name."""
    return Medley([KillAtFailpoint(), Redeliver(), Poison(), ClockJump()]) if name == MEDLEY else FAULTS[name]()


def cells(services: Sequence[str], faults: Sequence[str]) -> list[tuple[str, str]]:
    """Every pair of those named; of all, but the medley, where none is."""
    return [(service, fault) for service in services or LOADS for fault in faults or FAULTS]
