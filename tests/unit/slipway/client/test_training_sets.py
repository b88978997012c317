from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from slipway.client import Kind, SlipwayError, TrainingSetColumn, TrainingSetInput, TrainingSetState
from slipway.client.pieces import PIECE_BYTES, digest
from slipway.errors import InvalidInput

SPINE = bytes(range(256)) * 10


def test_a_training_set_is_asked_for_waited_for_and_fetched(client: Any, unique: str, tmp_path: Path) -> None:
    cutoff = datetime(2013, 6, 1, tzinfo=UTC)
    asked = client.features.create_training_set(SPINE, "late", cutoff, request_id=unique)
    assert (asked.id, asked.state, asked.cutoff) == (unique, TrainingSetState.BUILDING, cutoff)
    assert (asked.feature_service, asked.spine_digest) == ("late", digest(SPINE))
    made = client.features.wait_training_set(unique)
    assert (made.state, made.digest, made.size_bytes) == (TrainingSetState.READY, digest(SPINE), len(SPINE))
    assert made.columns == (TrainingSetColumn("planes__seats", "planes:seats", 1),)
    assert made.inputs == (TrainingSetInput("planes", 2, "p", "sha256:1", 3),)
    assert client.features.download_training_set(unique) == SPINE
    path = tmp_path / "set.parquet"
    assert client.features.download_training_set(unique, path) == path
    assert path.read_bytes() == SPINE


def test_a_spine_comes_from_a_file_in_pieces(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "spine.parquet"
    path.write_bytes(b"spine" * PIECE_BYTES)
    assert client.features.create_training_set(path, "late").spine_digest == digest(path.read_bytes())
    with pytest.raises(InvalidInput, match="source: can't open"):
        client.features.create_training_set(tmp_path / "none", "late")
    with pytest.raises(InvalidInput, match="cutoff: has no time zone"):
        client.features.create_training_set(SPINE, "late", datetime(2013, 1, 1))


def test_training_sets_are_listed_newest_first(client: Any) -> None:
    assert [one.id for one in client.features.training_sets()] == ["b", "a"]


def test_one_that_failed_is_waited_for_too(client: Any) -> None:
    made = client.features.wait_training_set("failed")
    assert (made.state, made.error, made.state.final) == (TrainingSetState.FAILED, "the spine lacks it", True)


def test_waiting_ends(client: Any) -> None:
    with pytest.raises(SlipwayError, match="wait longer") as caught:
        client.features.wait_training_set("endless", timeout_s=0.1)
    assert caught.value.kind is Kind.DEADLINE_EXCEEDED
    with pytest.raises(SlipwayError, match="no such training set"):
        client.features.wait_training_set("unknown")


def test_damage_is_told_and_nothing_is_written(client: Any, tmp_path: Path) -> None:
    client.features.upload_spine(SPINE)
    client.features.wait_training_set("damaged")
    with pytest.raises(SlipwayError) as caught:
        client.features.download_training_set("damaged", tmp_path / "set.parquet")
    assert caught.value.kind is Kind.DATA_LOSS
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_can_t_be_written_is_told(client: Any, unique: str, tmp_path: Path) -> None:
    client.features.create_training_set(SPINE, "late", request_id=unique)
    client.features.wait_training_set(unique)
    with pytest.raises(InvalidInput, match="path: can't write"):
        client.features.download_training_set(unique, tmp_path / "none" / "set.parquet")
