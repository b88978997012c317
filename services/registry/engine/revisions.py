"""What endpoints should have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from services.registry.domain.errors import EndpointNotFound
from services.registry.domain.revision import EndpointRevision
from services.registry.ports import Catalogue
from slipway import paging
from slipway.naming import resource_name

PAGE_BYTES = 3 * 1024 * 1024


class Revisions:
    """The revisions that are kept of an endpoint."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def list(self, endpoint: str, size: int, token: str) -> paging.Slice[EndpointRevision]:
        """A page of them, newest first, those of a deleted endpoint too. Raises EndpointNotFound."""
        resource_name("endpoint", endpoint)
        page = paging.parse(size, token, (int,))
        async with self._catalogue.read() as catalogue:
            rows = await catalogue.endpoint_revisions(endpoint, page)
            if not rows and not page.after:
                raise EndpointNotFound(endpoint)
        return paging.cut(rows, replace(page, size=min(page.size, _fitting(rows))), lambda one: (one.revision,))


def _fitting(rows: Sequence[EndpointRevision]) -> int:
    """How many of ``rows``, from the first on and one at least, a page can carry."""
    return max(1, sum(1 for size in accumulate(one.carried_bytes for one in rows) if size <= PAGE_BYTES))
