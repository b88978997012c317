from __future__ import annotations

from pathlib import Path

import pytest

from services.training_scheduler.adapters.lock import AlreadyRunning, FolderUnusable, alone_in


def test_a_folder_has_room_for_one(tmp_path: Path) -> None:
    with alone_in(tmp_path / "new"), pytest.raises(AlreadyRunning, match="SLIPWAY_DATA"), alone_in(tmp_path / "new"):
        pass
    with alone_in(tmp_path / "new"):
        pass


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match="file"), alone_in(tmp_path / "file"):
        pass
