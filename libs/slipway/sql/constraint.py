"""What it means that a row breaks a rule of its table."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.errors import Kind, SlipwayError


class Conflict(SlipwayError):
    """A row with the same unique value exists.

    ``columns`` are ``table.column`` names, in the order of the table's rule. Adapters turn it into their domain's
    error; let it leave the transaction first, which PostgreSQL has spoilt by then.
    """

    kind = Kind.ALREADY_EXISTS
    reason = "CONFLICT"

    def __init__(self, columns: Sequence[str] = ()) -> None:
        super().__init__("a row with the same unique value exists", facts={"columns": ", ".join(columns)})
        self.columns = tuple(columns)


class BrokenReference(SlipwayError):
    """A row names another that does not exist, or one that others still name would go."""

    kind = Kind.FAILED_PRECONDITION
    reason = "BROKEN_REFERENCE"

    def __init__(self) -> None:
        super().__init__("a row names another one that does not exist, or is still named by others")
