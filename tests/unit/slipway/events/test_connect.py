from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from slipway.errors import InvalidInput
from slipway.events.connect import open_log


async def test_a_path_opens_the_embedded_log(tmp_path: Path) -> None:
    async with open_log(f"sqlite:///{tmp_path / 'a' / 'events.db'}") as log:
        assert await log.topics() == []


@pytest.mark.parametrize("url", ["", "events.db", "sqlite:///relative.db", "sqlite://", "kafka://user:hunter2@host"])
async def test_another_url_names_the_field_and_keeps_its_password(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        async with open_log(url):
            pass
    assert caught.value.violations[0].field == "events.url"
    assert "hunter2" not in caught.value.message


def test_the_port_imports_no_adapter_and_no_sqlalchemy() -> None:
    told = (
        "import sys, slipway.events;"
        "sys.exit(any(n.startswith(('sqlalchemy', 'slipway.events.sqlite')) for n in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0
