"""What is typed on a command line, as values; and bytes into a file, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import Kind, SlipwayError, invalid_field
from slipway.failpoints import hit

if TYPE_CHECKING:
    from slipway.client import RolloutPlan, Route

_ALIAS = "alias:"
_ROUTE_KEYS = ("name", "model", "version", "alias", "weight", "shadow")
_ROUTE_FORM = (
    "write name=main,model=MODEL,alias=ALIAS,weight=100, or version=NUMBER instead of the alias; shadow=yes for an arm "
    "that scores what others answer"
)
_STEPS = {"canary": "0,25", "blue_green": "0", "ab": "50"}
_LABELS = 500


class OutputNotWritten(SlipwayError):
    """The disk did not take the file; nothing was left behind."""

    kind = Kind.FAILED_PRECONDITION
    reason = "OUTPUT_NOT_WRITTEN"


def selector(text: str) -> tuple[int | None, str | None]:
    """A version's number or alias from ``7`` or ``alias:champion``. Raises InvalidInput about ``VERSION``."""
    if text.startswith(_ALIAS) and len(text) > len(_ALIAS):
        return None, text.removeprefix(_ALIAS)
    if text.isascii() and text.isdecimal():
        return int(text), None
    raise invalid_field("VERSION", f"{text!r} is none; write a number such as 7, or alias:champion")


def route(text: str) -> Route:
    """A route from ``name=main,model=m,alias=champion,weight=100``. Raises InvalidInput about ``--route``."""
    from slipway.client import Route  # noqa: PLC0415  (the client; help needs none of it)

    given: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if not equals or not value or key not in _ROUTE_KEYS or key in given:
            raise invalid_field("--route", f"{part.strip()!r} does not belong there; {_ROUTE_FORM}")
        given[key] = value
    if missing := [key for key in ("name", "model") if key not in given]:
        raise invalid_field("--route", f"{text!r} lacks {' and '.join(missing)}; {_ROUTE_FORM}")
    if ("version" in given) == ("alias" in given):
        raise invalid_field("--route", f"{text!r} needs either a version or an alias; {_ROUTE_FORM}")
    return Route(
        given["name"],
        given["model"],
        version=_number("version", given["version"]) if "version" in given else None,
        alias=given.get("alias"),
        weight=_number("weight", given.get("weight", "100")),
        shadow=_yes("shadow", given.get("shadow", "no")),
    )


def _yes(key: str, text: str) -> bool:
    if text not in {"yes", "no"}:
        raise invalid_field("--route", f"{key}={text} is neither yes nor no; {_ROUTE_FORM}")
    return text == "yes"


def plan(
    steps: str | None,
    labels: int | None,
    max_labels: int | None,
    margin: float | None,
    error_rate: float | None,
    *,
    kind: str | None = None,
    keep_s: int = 0,
    experiment: str = "",
) -> RolloutPlan | None:
    """A plan from ``0,25`` and what each step asks for; None when nothing is said. Raises InvalidInput."""
    from slipway.client import RolloutKind, RolloutPlan, RolloutStep  # noqa: PLC0415  (the client; help needs none)

    if all(one is None for one in (steps, labels, max_labels, margin, error_rate, kind)) and not (keep_s or experiment):
        return None
    chosen = RolloutKind(kind.replace("-", "_")) if kind else RolloutKind.CANARY
    shares = [share.strip() for share in (steps or _STEPS[chosen.value]).split(",")]
    for share in shares:
        if not (share.isascii() and share.isdecimal() and len(share) <= 3):
            raise invalid_field("--steps", f"{share!r} is no percentage; write 0,25 for a shadow step and a quarter")
    return RolloutPlan(
        tuple(RolloutStep(int(share), labels or _LABELS, max_labels or 0) for share in shares),
        margin or 0.0,
        error_rate or 0.0,
        chosen,
        keep_s,
        experiment,
    )


def _number(key: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise invalid_field("--route", f"{key}={text} is no number; {_ROUTE_FORM}")
    return int(text)


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` into ``path`` durably; a reader sees the old file or all of the new. Raises OutputNotWritten."""
    try:
        folder = path.parent
        handle, staged = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            hit("download.rename.before")
            Path(staged).replace(path)
            hit("download.rename.after")
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(staged).unlink()
            raise
        _sync(folder)
    except OSError as error:
        raise OutputNotWritten(f"can't write {path}: {error.strerror}; choose another --output") from error


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
