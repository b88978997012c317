"""Looking at what could not be handled."""

from __future__ import annotations

from dataclasses import replace

from services.monitor.domain.dead_letter import PAGE_BYTES, DeadLetter, fitting
from services.monitor.ports import DeadLetters
from slipway import paging
from slipway.errors import invalid_field

# Each may be as large as the log takes: a page is read in pieces, so that one call holds few of them at once.
_PIECE = 16
_END = 2**63 - 1


class Inspection:
    """Dead letters by page."""

    def __init__(self, letters: DeadLetters) -> None:
        self._letters = letters

    async def page(self, size: int, token: str, *, with_value: bool) -> paging.Slice[DeadLetter]:
        """A page of letters in the order in which they were set aside. Raises InvalidInput, Unavailable."""
        page = paging.parse(size, token, (int,))
        rows = await self._read(_start(page), page.fetch, with_value)
        return paging.cut(rows, replace(page, size=min(page.size, fitting(rows))), lambda letter: (letter.position,))

    async def _read(self, start: int, most: int, with_value: bool) -> list[DeadLetter]:
        """Up to ``most`` letters; no more than a piece beyond what a page can carry."""
        rows: list[DeadLetter] = []
        held = 0
        while len(rows) < most and held <= PAGE_BYTES:
            piece = await self._letters.read(start, min(_PIECE, most - len(rows)))
            if not piece:
                break
            start = piece[-1].position + 1
            rows += piece if with_value else [replace(letter, value=None) for letter in piece]
            held = sum(letter.carried_bytes for letter in rows)
        return rows


def _start(page: paging.Page) -> int:
    if page.after is None:
        return 0
    after = int(page.after[0])
    if not 0 <= after < _END:
        raise invalid_field("page_token", "is not a token of this call; pass next_page_token back as it came")
    return after + 1
