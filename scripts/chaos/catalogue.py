"""Every load and every fault, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from scripts.chaos.fault import Fault
from scripts.chaos.faults.failpoint import KillAtFailpoint
from scripts.chaos.faults.process import Kill, Pause
from scripts.chaos.load import Load
from scripts.chaos.loads.feature_serving import FeatureServingLoad
from scripts.chaos.loads.registry import RegistryLoad

LOADS: Mapping[str, Callable[[], Load]] = {
    "registry": RegistryLoad,
    "feature_serving": FeatureServingLoad,
}
FAULTS: Mapping[str, Callable[[], Fault]] = {
    "kill": Kill,
    "kill-at-failpoint": KillAtFailpoint,
    "pause": Pause,
}


def cells(services: Sequence[str], faults: Sequence[str]) -> list[tuple[str, str]]:
    """Every pair of those named; of all where none is."""
    return [(service, fault) for service in services or LOADS for fault in faults or FAULTS]
