from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def url(make_database: Callable[..., str]) -> str:
    """An empty database of its own; child processes open it by the same URL."""
    return make_database()
