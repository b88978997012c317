from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmarks.engine import ASKED, measure
from scripts.benchmarks.stand_ins import engine


async def test_every_kind_of_request_is_answered_as_its_own(tmp_path: Path) -> None:
    async with engine(tmp_path) as predict:
        for asked in ASKED:
            cost = await measure(asked, 3, 0.02, predict)
            assert cost.us > 0


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the benchmark puts in the gateway's place is taken out again."""
    from services.inference_gateway import main  # noqa: PLC0415  (the test's own import)

    for name in ("ProcessWorkers", "RegistryModels", "RegistryStream", "FeatureService", "Infer"):
        monkeypatch.setattr(main, name, getattr(main, name))
