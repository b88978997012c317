"""What the monitor refuses, or asks to be tried again."""

from __future__ import annotations

from slipway.errors import Unavailable


class VersionUnknown(Unavailable):
    """A version answers, and the registry's word of it has not come yet."""

    reason = "VERSION_UNKNOWN"

    def __init__(self, model: str, version: int) -> None:
        super().__init__(
            f"predictions of {model} version {version} wait for the registry's word of it",
            facts={"model": model, "version": str(version)},
            retry_after_s=0.2,
        )
