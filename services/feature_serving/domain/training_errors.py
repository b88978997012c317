"""What is refused about training sets, and why."""

from __future__ import annotations

from slipway.errors import AlreadyExists, Exhausted, FieldViolation, Kind, NotFound, SlipwayError


class SpineNotFound(NotFound):
    """No spine with that digest."""

    reason = "SPINE_NOT_FOUND"

    def __init__(self, digest: str) -> None:
        told = f"there is no spine {digest}; upload it with UploadSpine first"
        super().__init__(
            f"spine_digest: {told}", facts={"digest": digest}, violations=[FieldViolation("spine_digest", told)]
        )


class TrainingSetNotFound(NotFound):
    """No training set of that id."""

    reason = "TRAINING_SET_NOT_FOUND"

    def __init__(self, set_id: str) -> None:
        told = f"there is no training set {set_id[:64]!r}; see ListTrainingSets"
        super().__init__(f"id: {told}", facts={"id": set_id[:64]}, violations=[FieldViolation("id", told)])


class TrainingSetNotReady(SlipwayError):
    """Its bytes are not there: yet, or for good."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TRAINING_SET_NOT_READY"

    def __init__(self, set_id: str, state: str, error: str) -> None:
        told = f"failed: {error}" if error else "is being made; ask again with GetTrainingSet until it is READY"
        super().__init__(f"training set {set_id} {told}", facts={"id": set_id, "state": state})


class ViewWithoutSource(SlipwayError):
    """A view that is online alone."""

    kind = Kind.FAILED_PRECONDITION
    reason = "VIEW_WITHOUT_SOURCE"

    def __init__(self, view: str) -> None:
        super().__init__(
            f"view {view!r} has no source, so nobody knows its rows of the past; apply it again with one",
            facts={"view": view},
        )


class SourceOutside(SlipwayError):
    """A source's path leaves the folder of sources."""

    kind = Kind.FAILED_PRECONDITION
    reason = "SOURCE_OUTSIDE"

    def __init__(self, view: str, path: str) -> None:
        super().__init__(
            f"the source of view {view!r}, {path!r}, leads out of the folder of sources; "
            "give a path within it, or an absolute one",
            facts={"view": view, "path": path},
        )


class RequestReused(AlreadyExists):
    """The idempotency key was used with another body."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request_id {request_id!r} was used for another training set; repeat that body or take a new id",
            facts={"request_id": request_id},
        )


class SpineTooLarge(Exhausted):
    """More bytes than are kept in one spine."""

    reason = "SPINE_TOO_LARGE"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"the spine passes {limit_bytes} bytes; send less, or raise max_spine_bytes of feature serving",
            facts={"limit_bytes": str(limit_bytes)},
        )


class SpineDamaged(SlipwayError):
    """The bytes that arrived are not those that were announced."""

    kind = Kind.DATA_LOSS
    reason = "DIGEST_MISMATCH"

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(
            f"the spine was announced as {expected} but its bytes are {actual}; upload it again",
            facts={"expected": expected, "actual": actual},
        )


class JoinFailed(SlipwayError):
    """The inputs make no training set; the message says what to mend."""

    kind = Kind.FAILED_PRECONDITION
    reason = "JOIN_FAILED"
