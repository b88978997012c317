from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.inference_gateway.adapters.disabled_file import DisabledFile, DisabledNotKept
from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.domain.guardrail import Disabled

ONE = Disabled("late", "candidate", VersionKey("m", 2), 7, "it failed", datetime(2013, 6, 1, 12, tzinfo=UTC))


async def test_what_was_stored_is_loaded(tmp_path: Path) -> None:
    kept = DisabledFile(tmp_path / "new" / "disabled.json")
    assert list(await kept.load()) == []
    await kept.store([(ONE, False), (ONE, True)])
    assert list(await kept.load()) == [(ONE, False), (ONE, True)]


@pytest.mark.parametrize("junk", [b"", b"junk", b"[]", b'{"format": 1}', b'{"format": 9, "disabled": []}'])
async def test_junk_is_nothing(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "disabled.json").write_bytes(junk)
    assert list(await DisabledFile(tmp_path / "disabled.json").load()) == []


async def test_a_disk_that_does_not_take_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DisabledNotKept):
        await DisabledFile(tmp_path / "file" / "disabled.json").store([])
