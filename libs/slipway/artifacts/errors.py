"""How reading and writing an artifact fails."""

from __future__ import annotations

from slipway.errors import Exhausted, FieldViolation, InvalidInput, Kind, NotFound, SlipwayError, Unavailable


class InvalidDigest(InvalidInput):
    """A digest that is not ``sha256:`` and 64 lower-case hex digits; nothing was looked up."""

    reason = "INVALID_DIGEST"

    def __init__(self, digest: str) -> None:
        text = "give 'sha256:' followed by 64 lower-case hex digits"
        super().__init__(f"digest: {digest[:80]!r} is not one; {text}", violations=[FieldViolation("digest", text)])


class ArtifactNotFound(NotFound):
    """No artifact has this digest."""

    reason = "ARTIFACT_NOT_FOUND"

    def __init__(self, digest: str) -> None:
        super().__init__(f"no artifact {digest} here; put its bytes first", facts={"digest": digest})


class ArtifactTooLarge(InvalidInput):
    """The bytes sent pass the limit; nothing was kept."""

    reason = "ARTIFACT_TOO_LARGE"

    def __init__(self, received_bytes: int, limit_bytes: int) -> None:
        text = f"{received_bytes} bytes and more, over the limit of {limit_bytes}; send less or raise the limit"
        super().__init__(
            f"artifact: {text}",
            facts={"received_bytes": str(received_bytes), "limit_bytes": str(limit_bytes)},
            violations=[FieldViolation("artifact", text)],
        )


class CorruptArtifact(SlipwayError):
    """The stored bytes are not those that were put."""

    kind = Kind.DATA_LOSS
    reason = "CORRUPT_ARTIFACT"

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"the stored bytes of artifact {digest} are damaged; put the same bytes again to mend it",
            facts={"digest": digest},
        )


class ArtifactStoreFull(Exhausted):
    """The disk has no room for the artifact; nothing was kept."""

    reason = "ARTIFACT_STORE_FULL"

    def __init__(self) -> None:
        super().__init__("the artifact store's disk is full; free some space and put the artifact again")


class ArtifactStoreUnavailable(Unavailable):
    """The disk answered with an error; the cause is chained for the log."""

    reason = "ARTIFACT_STORE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("the artifact store's disk answers with an error; its service's log says which")
