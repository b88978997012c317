"""What the gateway refuses, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipway.errors import (
    AlreadyExists,
    Exhausted,
    FieldViolation,
    InvalidInput,
    Kind,
    NotFound,
    SlipwayError,
    Unavailable,
)


class EndpointNotFound(NotFound):
    """No endpoint of that name is desired here."""

    reason = "ENDPOINT_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no endpoint {name!r} in this gateway; see ListEndpoints, or create it in the registry",
            facts={"endpoint": name},
        )


class VersionNotServed(NotFound):
    """The caller asked for a version that the endpoint does not serve."""

    reason = "VERSION_NOT_SERVED"

    def __init__(self, endpoint: str, asked: str, served: list[int]) -> None:
        super().__init__(
            f"endpoint {endpoint!r} does not serve version {asked!r}; it serves {served}; leave model_version empty",
            facts={"endpoint": endpoint, "version": asked},
        )


class NotReady(Unavailable):
    """The endpoint is desired, but none of its versions is loaded yet."""

    reason = "ENDPOINT_NOT_READY"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"endpoint {name!r} has no loaded version yet: {why}", retry_after_s=0.5)


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


class Quarantined(SlipwayError):
    """The version killed so many workers that it gets no more."""

    kind = Kind.FAILED_PRECONDITION
    reason = "VERSION_QUARANTINED"

    def __init__(self, version: str, why: str) -> None:
        super().__init__(
            f"{version} is in quarantine: {why}; change the endpoint in the registry, or load the version again",
            facts={"version": version},
        )


class VersionNotWanted(NotFound):
    """No endpoint has the version among its arms."""

    reason = "VERSION_NOT_WANTED"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"no endpoint of this gateway has {version} among its arms; give it one in the registry",
            facts={"version": version},
        )


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


class QueueFull(Exhausted):
    """As much waits for a version as is allowed to, or as much of one tenant's; ``of`` are items, rows or bytes."""

    reason = "QUEUE_FULL"

    def __init__(self, version: str, limit: int, of: str = "batches", tenant: str = "") -> None:
        whose = f"tenant {tenant!r} has its share of the {limit} {of} that may" if tenant else f"{limit} {of}"
        super().__init__(
            f"{whose} wait for {version}; try again or send less",
            facts={"version": version, "limit": str(limit), "of": of} | ({"tenant": tenant} if tenant else {}),
            retry_after_s=0.05,
        )


class TooLate(SlipwayError):
    """The answer would come after the caller's deadline: nothing is run for it."""

    kind = Kind.DEADLINE_EXCEEDED
    reason = "TOO_LATE"

    def __init__(self, version: str, left_s: float, needed_s: float) -> None:
        super().__init__(
            f"{version} needs {needed_s * 1e3:.1f} ms, and {left_s * 1e3:.1f} ms are left; "
            "allow more time or ask for less",
            facts={"version": version},
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


class PredictionTooLarge(InvalidInput):
    """One row and its answer are larger than an event of the prediction log may be."""

    reason = "PREDICTION_TOO_LARGE"

    def __init__(self, prediction_id: str, size_bytes: int, limit_bytes: int) -> None:
        text = (
            f"prediction {prediction_id!r} takes {size_bytes} bytes on the log, over {limit_bytes}; send shorter texts"
        )
        super().__init__(
            f"features: {text}",
            facts={"prediction_id": prediction_id, "size_bytes": str(size_bytes), "limit_bytes": str(limit_bytes)},
            violations=[FieldViolation("features", text)],
        )


class ResponseTooLarge(InvalidInput):
    """The answers to a request that came by an event are larger than an event may be."""

    reason = "RESPONSE_TOO_LARGE"

    def __init__(self, facts: Mapping[str, str]) -> None:
        text = (
            f"the answers take {facts['size_bytes']} bytes, over the {facts['limit_bytes']} of an event; "
            "ask about fewer rows at once, or read the answers on the prediction log"
        )
        super().__init__(f"request: {text}", facts=facts, violations=[FieldViolation("request", text)])


class PredictionIdReused(AlreadyExists):
    """The prediction id was answered before, for other input."""

    reason = "PREDICTION_ID_REUSED"

    def __init__(self, prediction_id: str) -> None:
        super().__init__(
            f"prediction_id {prediction_id!r} was used with other input; repeat that input or take a new id",
            facts={"prediction_id": prediction_id},
        )


class FeaturesUnavailable(Unavailable):
    """Features that the version can't do without can't be read now."""

    reason = "FEATURES_UNAVAILABLE"

    def __init__(self, features: Sequence[str], why: str) -> None:
        shown = ", ".join(features[:5]) + (f" and {len(features) - 5} more" if len(features) > 5 else "")
        super().__init__(
            f"{shown} can't be read now, and the version needs them: {why or 'nobody was asked'}; "
            "try again, or give the columns",
            retry_after_s=1.0,
        )


class FeatureMissing(InvalidInput):
    """Features that the version can't do without have no value for these entities at this time."""

    reason = "FEATURE_MISSING"

    def __init__(self, holes: Mapping[str, str]) -> None:
        wrong = [FieldViolation(f"features[{name}]", why) for name, why in holes.items()]
        super().__init__("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


class FeatureTypeMismatch(SlipwayError):
    """The version was registered with a feature whose type its column can't take."""

    kind = Kind.FAILED_PRECONDITION
    reason = "FEATURE_TYPE_MISMATCH"

    def __init__(self, column: str, datatype: str, feature: str, holds: str) -> None:
        super().__init__(
            f"column {column!r} is {datatype}, but feature {feature!r} holds {holds}; "
            "register the version with a column of the feature's type",
            facts={"column": column, "feature": feature},
        )


class VersionTakesTraffic(SlipwayError):
    """The version is wanted in memory, for rows go to it."""

    kind = Kind.FAILED_PRECONDITION
    reason = "VERSION_TAKES_TRAFFIC"

    def __init__(self, version: str, endpoints: Sequence[str]) -> None:
        named = ", ".join(repr(one) for one in endpoints)
        super().__init__(
            f"{version} takes traffic of {named}, or stands by as the fallback; set its arm's weight to 0 (and no "
            "shadow) in the registry, or take the arm or the fallback out there",
            facts={"version": version},
        )


ARM_FAULTS = (ModelFailed, Quarantined, WorkerDied)
"""What is an arm's fault, and not the caller's."""
