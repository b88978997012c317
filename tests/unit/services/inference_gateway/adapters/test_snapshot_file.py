from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.inference_gateway.adapters.snapshot_file import SnapshotFile
from services.inference_gateway.domain.default_answer import DefaultAnswer
from services.inference_gateway.domain.desired import Desired, Endpoint, Limits, Route, VersionKey, VersionSpec
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, TensorSpec
from slipway.errors import Kind, SlipwayError

KEY = VersionKey("flights", 3)
SIGNATURE = Signature(
    (
        ColumnSpec("carrier", DataType.BYTES, True),
        ColumnSpec("distance", DataType.FP32),
        ColumnSpec("image", DataType.FP32, shape=(3, 2), maximum=255.0),
    ),
    (TensorSpec("p", DataType.FP32, (-1, 1)),),
)


def desired(revision: int) -> Desired:
    return Desired(
        revision,
        {
            "late": Endpoint(
                "late",
                (Route("main", KEY, 90, salt="s", sticky_by=("plane",), experiment="x"), Route("shadow", KEY, 0, True)),
                revision,
                Limits(0.1 + 0.2, 0.05, 1_000, 100),
                DefaultAnswer({"p": (0.1 + 0.2,), "why": ("no model",)}, when_features_unavailable=True),
            ),
            "price": Endpoint("price", (Route("main", KEY, 1),), revision, fallback=VersionKey("flights", 2)),
        },
        {KEY: VersionSpec(KEY, "sha256:ab", SIGNATURE)},
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway" / "snapshot.json"


async def test_what_is_stored_last_is_loaded(path: Path) -> None:
    file = SnapshotFile(path)
    assert await file.load() is None
    for revision in (1, 2):
        await file.store(desired(revision))
    assert await SnapshotFile(path).load() == desired(2)
    assert [one.name for one in path.parent.iterdir()] == ["snapshot.json"]


async def test_a_file_that_was_written_before_there_were_shapes_is_loaded(path: Path) -> None:
    file = SnapshotFile(path)
    await file.store(desired(1))
    facts = json.loads(path.read_bytes())
    for column in facts["versions"][0]["signature"]["inputs"]:
        for name in ("shape", "minimum", "maximum"):
            del column[name]
    path.write_text(json.dumps(facts))
    found = await file.load()
    assert found is not None
    assert [one.shape for one in found.versions[KEY].signature.inputs] == [(), (), ()]


async def test_a_file_of_before_there_was_more_than_routes_is_loaded_and_so_is_one_of_later(path: Path) -> None:
    arm = {"name": "main", "version": {"model": "flights", "number": 3}, "weight": 90}
    endpoint = {"name": "late", "routes": [arm], "revision": 7}
    path.parent.mkdir(parents=True)
    for more in ({}, {"colour": "red", "routes": [arm | {"hue": 1}], "limits": {"tone": 2}}):
        path.write_text(json.dumps({"format": 1, "revision": 7, "endpoints": [endpoint | more], "versions": []}))
        assert await SnapshotFile(path).load() == Desired(
            7, {"late": Endpoint("late", (Route("main", KEY, 90),), 7)}, {}
        )


async def test_a_crash_before_the_rename_leaves_the_old_one(path: Path) -> None:
    file = SnapshotFile(path)
    await file.store(desired(1))
    whole = path.read_bytes()
    for cut in (0, 1, len(whole) // 2, len(whole)):
        path.with_suffix(".staged").write_bytes(whole.replace(b'"revision": 1', b'"revision": 2')[:cut])
        assert await SnapshotFile(path).load() == desired(1)
    await file.store(desired(3))
    assert await file.load() == desired(3)


def damaged() -> list[bytes]:
    facts = {"format": 1, "revision": 1, "endpoints": [], "versions": []}
    return [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        json.dumps({**facts, "endpoints": 5}).encode(),
        json.dumps({**facts, "endpoints": {"late": 1}}).encode(),
        json.dumps({**facts, "endpoints": [{"name": "late"}]}).encode(),
        json.dumps({**facts, "versions": [{"key": {"model": "m"}}]}).encode(),
        json.dumps({**facts, "versions": [None]}).encode(),
        json.dumps({**facts, "format": 2}).encode(),
    ]


@pytest.mark.parametrize("content", damaged())
async def test_a_damaged_file_is_as_none_and_the_next_one_replaces_it(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    file = SnapshotFile(path)
    assert await file.load() is None
    await file.store(desired(1))
    assert await file.load() == desired(1)


async def test_every_truncation_is_as_none(path: Path) -> None:
    file = SnapshotFile(path)
    await file.store(desired(1))
    whole = path.read_bytes()
    for cut in range(len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert await file.load() is None


async def test_a_disk_that_fails_is_told_as_unavailable(path: Path) -> None:
    path.parent.write_text("a file stands where the folder should be")
    with pytest.raises(SlipwayError) as caught:
        await SnapshotFile(path).store(desired(1))
    assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "SNAPSHOT_NOT_KEPT")
    assert await SnapshotFile(path).load() is None
