"""What the gateway refuses, and why; of workers, features and tenants beside it."""

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


class VersionNotWanted(NotFound):
    """No endpoint has the version among its arms."""

    reason = "VERSION_NOT_WANTED"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"no endpoint of this gateway has {version} among its arms; give it one in the registry",
            facts={"version": version},
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
