"""What the registry refuses, and why."""

from __future__ import annotations

from slipway.errors import AlreadyExists, Exhausted, FieldViolation, InvalidInput, Kind, NotFound, SlipwayError


class ModelNotFound(NotFound):
    """No model of that name."""

    reason = "MODEL_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no model {name!r}; create it first or see ListModels", facts={"model": name})


class VersionNotFound(NotFound):
    """The model has no such version."""

    reason = "VERSION_NOT_FOUND"

    def __init__(self, model: str, number: int) -> None:
        super().__init__(
            f"model {model!r} has no version {number}; see ListModelVersions",
            facts={"model": model, "version": str(number)},
        )


class AliasNotFound(NotFound):
    """The model has no such alias."""

    reason = "ALIAS_NOT_FOUND"

    def __init__(self, model: str, alias: str) -> None:
        super().__init__(
            f"model {model!r} has no alias {alias!r}; set it with SetAlias", facts={"model": model, "alias": alias}
        )


class EndpointNotFound(NotFound):
    """No endpoint of that name."""

    reason = "ENDPOINT_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no endpoint {name!r}; create it with PutEndpoint", facts={"endpoint": name})


class ModelExists(AlreadyExists):
    """The name is taken by a model with another description or owner."""

    reason = "MODEL_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"model {name!r} exists with another owner or description; use it as it is or choose another name",
            facts={"model": name},
        )


class RequestReused(AlreadyExists):
    """The idempotency key was used with another body."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str, what: str = "version") -> None:
        super().__init__(
            f"request_id {request_id!r} was used for another {what}; repeat that body or take a new id",
            facts={"request_id": request_id},
        )


class ArtifactMissing(SlipwayError):
    """A version names an artifact that was never uploaded."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ARTIFACT_MISSING"

    def __init__(self, digest: str) -> None:
        super().__init__(f"artifact {digest} is not stored; upload it with UploadArtifact first")


class DigestMismatch(SlipwayError):
    """The bytes that arrived are not those that were announced."""

    kind = Kind.DATA_LOSS
    reason = "DIGEST_MISMATCH"

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(
            f"the upload was announced as {expected} but its bytes are {actual}; upload it again",
            facts={"expected": expected, "actual": actual},
        )


class UploadTooLarge(Exhausted):
    """More bytes than this registry keeps in one artifact."""

    reason = "ARTIFACT_TOO_LARGE"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"the upload passes {limit_bytes} bytes; send less, or raise max_artifact_bytes of the registry",
            facts={"limit_bytes": str(limit_bytes)},
        )


class VersionTooLarge(InvalidInput):
    """Signature, metrics, params, lineage and baseline together are more than an event carries."""

    reason = "VERSION_TOO_LARGE"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        told = (
            f"comes to {size_bytes} bytes, at most {limit_bytes} are kept; shorten descriptions, params or the baseline"
        )
        super().__init__(f"version: {told}", violations=[FieldViolation("version", told)])


class Moved(SlipwayError):
    """Somebody else changed it since the caller looked."""

    kind = Kind.ABORTED
    reason = "CHANGED_MEANWHILE"

    def __init__(self, what: str, expected: int, actual: int) -> None:
        super().__init__(
            f"{what} is at {actual}, not at {expected} as expected; read it again and decide anew",
            facts={"expected": str(expected), "actual": str(actual)},
        )


class AliasInUse(SlipwayError):
    """Endpoints follow the alias."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ALIAS_IN_USE"

    def __init__(self, alias: str, endpoints: list[str]) -> None:
        super().__init__(
            f"alias {alias!r} is followed by {', '.join(endpoints)}; change or delete those endpoints first",
            facts={"endpoints": ",".join(endpoints)},
        )


class RolloutNotFound(NotFound):
    """The endpoint has had no such rollout."""

    reason = "ROLLOUT_NOT_FOUND"

    def __init__(self, endpoint: str, rollout: str) -> None:
        super().__init__(
            f"endpoint {endpoint!r} has had no rollout {rollout!r}; see ListRollouts",
            facts={"endpoint": endpoint, "rollout": rollout},
        )


class RolloutRunning(SlipwayError):
    """A rollout has the endpoint's arms, and the alias that they follow, in its hands."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ROLLOUT_RUNNING"

    def __init__(self, endpoint: str, rollout: str) -> None:
        super().__init__(
            f"rollout {rollout} of endpoint {endpoint!r} runs; wait until it has ended, or end it with CancelRollout "
            f"(slipway-registry rollout cancel {endpoint})",
            facts={"endpoint": endpoint, "rollout": rollout},
        )


class RolloutImpossible(SlipwayError):
    """The endpoint can't have this rollout as it stands."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ROLLOUT_IMPOSSIBLE"

    def __init__(self, endpoint: str, why: str) -> None:
        super().__init__(f"endpoint {endpoint!r} can't have this rollout: {why}", facts={"endpoint": endpoint})


class NoAliasFollowed(SlipwayError):
    """The endpoint's main arm is pinned to a version, so there is no alias to move."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_ALIAS_FOLLOWED"

    def __init__(self, endpoint: str, route: str) -> None:
        super().__init__(
            f"the main arm {route!r} of endpoint {endpoint!r} follows no alias; put it on one with SetAlias and "
            "PutEndpoint",
            facts={"endpoint": endpoint, "route": route},
        )


class RevisionNotFound(NotFound):
    """The revision is not among those that are kept of the endpoint."""

    reason = "REVISION_NOT_FOUND"

    def __init__(self, endpoint: str, revision: int) -> None:
        super().__init__(
            f"revision {revision} of endpoint {endpoint!r} is not kept; see ListEndpointRevisions "
            f"(slipway-registry revisions {endpoint})",
            facts={"endpoint": endpoint, "revision": str(revision)},
        )


class RevisionImpossible(SlipwayError):
    """The endpoint can't be again what it was at that revision."""

    kind = Kind.FAILED_PRECONDITION
    reason = "REVISION_IMPOSSIBLE"

    def __init__(self, endpoint: str, revision: int, why: str) -> None:
        super().__init__(
            f"endpoint {endpoint!r} can't go back to revision {revision}: {why}",
            facts={"endpoint": endpoint, "revision": str(revision)},
        )


class NothingBefore(SlipwayError):
    """The alias has pointed nowhere else before."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_VERSION_BEFORE"

    def __init__(self, endpoint: str, alias: str) -> None:
        super().__init__(
            f"endpoint {endpoint!r} has no version to go back to: alias {alias!r} points at its first; "
            "a rollout that runs is ended with CancelRollout, another version chosen with SetAlias",
            facts={"endpoint": endpoint, "alias": alias},
        )
