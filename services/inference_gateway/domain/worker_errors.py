"""How versions fail to run."""

from __future__ import annotations

from slipway.errors import Exhausted, Kind, SlipwayError, Unavailable


class WorkerNotStarted(Unavailable):
    """The operating system refused the process; the cause is chained for the log."""

    reason = "WORKER_NOT_STARTED"

    def __init__(self, version: str) -> None:
        super().__init__(f"no worker process can be started for {version}; see to the machine's memory and limits")


class WorkerDied(Unavailable):
    """The worker process ended, or was ended because it hung, with the batch in it."""

    reason = "WORKER_DIED"

    def __init__(self, version: str) -> None:
        super().__init__(f"the worker of {version} died on this batch; try again", retry_after_s=0.2)


class NoMemory(Exhausted):
    """There is no memory to hand the batch over in; the cause is chained for the log."""

    reason = "NO_MEMORY"

    def __init__(self, version: str) -> None:
        super().__init__(f"there is no memory for this batch of {version}; send fewer rows", retry_after_s=1.0)


class NoRoom(Exhausted):
    """The version does not fit into the memory that workers may have."""

    reason = "NO_ROOM"

    def __init__(self, version: str, need: int, free: int, budget: int) -> None:
        super().__init__(
            f"{version} needs about {need} bytes, and {free} of the workers' {budget} are free with nothing left to "
            "unload; take versions off their endpoints, or raise worker.memory_budget_bytes",
            retry_after_s=10.0,
        )


class ModelFailed(SlipwayError):
    """The model itself refused the batch."""

    kind = Kind.FAILED_PRECONDITION
    reason = "MODEL_FAILED"

    def __init__(self, version: str, why: str) -> None:
        super().__init__(f"{version} failed on this batch: {why}", facts={"version": version})


class UnusableModel(SlipwayError):
    """The artifact can't be served under its signature."""

    kind = Kind.FAILED_PRECONDITION
    reason = "UNUSABLE_MODEL"


class Quarantined(SlipwayError):
    """The version killed so many workers that it gets no more."""

    kind = Kind.FAILED_PRECONDITION
    reason = "VERSION_QUARANTINED"

    def __init__(self, version: str, why: str) -> None:
        super().__init__(
            f"{version} is in quarantine: {why}; change the endpoint in the registry, or load the version again",
            facts={"version": version},
        )


ARM_FAULTS = (ModelFailed, Quarantined, WorkerDied)
"""What is an arm's fault, and not the caller's."""
