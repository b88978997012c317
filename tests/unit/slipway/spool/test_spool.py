from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import google_crc32c
import pytest

from slipway.errors import InvalidInput, Kind
from slipway.spool import START, FrameTooLarge, MixedSpools, Position, Spool, SpoolFull, SpoolLocked, SpoolUnavailable
from slipway.spool.checkpoint import Checkpoint
from slipway.spool.frame import Payload, encode

HEADER = 12


def opened(root: Path, **bounds: Any) -> Spool:
    return Spool.open(root, **{"segment_bytes": 100, "limit_bytes": 10_000, "sync": "interval", **bounds})


def pending(spool: Spool) -> list[bytes]:
    return [payload for _, payload in spool.frames(spool.acknowledged)]


def segments(root: Path) -> list[Path]:
    return sorted(root.glob("*.frames"))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with opened(tmp_path) as spool:
        yield spool


def test_frames_come_back_in_order_at_their_positions(spool: Spool) -> None:
    frames = [b"", b"one", bytes(500), b"\xf5\xc1SF" * 9, b"last"]
    positions = spool.append(frames[:2]) + spool.append(frames[2:3]) + spool.append(frames[3:])
    assert [*spool.frames(START)] == list(zip(positions, frames, strict=True))
    assert positions == sorted(positions)
    assert [str(position) for position in positions] == sorted(map(str, positions))
    assert [Position.parse(str(position)) for position in positions] == positions
    assert [*spool.frames(positions[1])] == list(zip(positions, frames, strict=True))[2:]
    assert spool.append([]) == []


@pytest.mark.parametrize("text", ["", "1-2", "00000001", "0000000g-00000000", "-0000001-00000000", "0000000A-00000000"])
def test_a_position_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="position"):
        Position.parse(text)


def test_frames_are_read_as_they_are_taken_while_others_come_and_go(spool: Spool) -> None:
    first = spool.append([b"%d" % number for number in range(5)])
    reading = spool.frames(START)
    assert next(reading) == (first[0], b"0")
    last = spool.append([b"5"])
    spool.acknowledge(first[0])
    taken = [payload for _, payload in reading]
    rest = [payload for _, payload in spool.frames(first[4])]
    assert taken in ([b"1", b"2", b"3", b"4"], [b"1", b"2", b"3", b"4", b"5"])
    assert rest == [b"5"]
    assert [*spool.frames(last[0])] == []


def test_what_is_acknowledged_is_not_pending_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path, retain_bytes=10_000) as spool:
        positions = spool.append([b"a" * 60, b"b"]) + spool.append([b"c" * 60]) + spool.append([b"d"])
        spool.acknowledge(positions[1])
        spool.acknowledge(positions[0])
        identity = spool.identity
        assert spool.acknowledged == positions[1]
        assert spool.pending_bytes == 60 + 1 + 2 * HEADER
    with opened(tmp_path, retain_bytes=10_000) as spool:
        assert spool.identity == identity
        assert spool.acknowledged == positions[1]
        assert spool.pending_bytes == 60 + 1 + 2 * HEADER
        assert pending(spool) == [b"c" * 60, b"d"]
        assert [payload[:1] for _, payload in spool.replay()] == [b"a", b"b", b"c", b"d"]
        assert [position for position, _ in spool.replay()] == positions


def test_a_position_that_no_frame_has_cannot_be_acknowledged(spool: Spool) -> None:
    with pytest.raises(InvalidInput, match="position"):
        spool.acknowledge(Position(1, 0))
    (position,) = spool.append([b"x"])
    with pytest.raises(InvalidInput, match="position"):
        spool.acknowledge(Position(1, HEADER + 1))
    spool.acknowledge(position)
    assert spool.pending_bytes == 0


def test_acknowledged_segments_are_dropped_beyond_what_is_retained(tmp_path: Path) -> None:
    with opened(tmp_path, retain_bytes=200) as spool:
        for n in range(10):
            (position,) = spool.append([b"%d" % n * 80])
        assert len(segments(tmp_path)) == 10
        spool.acknowledge(position)
        assert [payload[:1] for _, payload in spool.replay()] == [b"7", b"8", b"9"]
        assert len(segments(tmp_path)) == 3
    with opened(tmp_path) as spool:
        assert list(spool.replay()) == []
        assert len(segments(tmp_path)) == 1


def test_a_full_spool_refuses_the_whole_batch_until_it_is_read(tmp_path: Path) -> None:
    with opened(tmp_path, limit_bytes=100) as spool:
        (first,) = spool.append([bytes(30)])
        with pytest.raises(SpoolFull) as caught:
            spool.append([bytes(10), bytes(30)])
        assert caught.value.kind is Kind.RESOURCE_EXHAUSTED
        assert caught.value.facts == {"cause": "limit", "pending_bytes": "42", "limit_bytes": "100"}
        assert pending(spool) == [bytes(30)]
        spool.acknowledge(first)
        spool.append([bytes(10), bytes(30)])
        assert pending(spool) == [bytes(10), bytes(30)]


def test_a_frame_that_never_fits_is_named(tmp_path: Path) -> None:
    with opened(tmp_path, limit_bytes=100) as spool, pytest.raises(FrameTooLarge, match=r"113 bytes.*limit of 100"):
        spool.append([bytes(101)])


@pytest.mark.parametrize("room", [150, 157, 169, 180], ids=lambda room: f"{room} bytes of disk")
@pytest.mark.parametrize("sync", ["always", "interval"])
def test_a_full_disk_keeps_nothing_of_the_batch(tmp_path: Path, room: int, sync: str) -> None:
    with opened(tmp_path, segment_bytes=10_000, sync=sync) as spool:
        spool.append([bytes(138)])
        _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(SpoolFull) as caught:
                spool.append([b"x" * 10, b"y" * 10])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert caught.value.facts["cause"] == "disk"
        assert segments(tmp_path)[0].stat().st_size == 150
        spool.append([b"after"])
        assert pending(spool) == [bytes(138), b"after"]
    with opened(tmp_path) as spool:
        assert (pending(spool), spool.torn_bytes) == ([bytes(138), b"after"], 0)


LEAD, PIECE = b"lead", b"piece" * 40


def test_what_was_written_ahead_is_the_frame_that_has_it(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=10_000) as spool:
        spool.append([b"before"])
        size = segments(tmp_path)[-1].stat().st_size
        spool.write_ahead(PIECE, len(LEAD))
        assert segments(tmp_path)[-1].stat().st_size == size + HEADER + len(LEAD) + len(PIECE)
        assert pending(spool) == [b"before"]
        [position] = spool.append([(LEAD, PIECE, b"rest", b"")])
        assert position == Position(1, size)
        spool.append([b"after"])
        assert pending(spool) == [b"before", LEAD + PIECE + b"rest", b"after"]


@pytest.mark.parametrize(
    "others",
    [
        [b"x"],
        [b"x" * 400],
        [(LEAD + b"2", PIECE)],  # elsewhere
        [(LEAD, PIECE[:-1] + b"X")],
        [(LEAD, PIECE), b"and another one"],
        [(LEAD,)],
    ],
)
def test_what_was_written_ahead_in_vain_is_gone(tmp_path: Path, others: list[Payload]) -> None:
    with opened(tmp_path, segment_bytes=10_000) as spool:
        spool.append([b"before"])
        spool.write_ahead(PIECE, len(LEAD))
        spool.append(others)
        expected = [b"before", *(one if isinstance(one, bytes) else b"".join(one) for one in others)]
        assert pending(spool) == expected
        assert segments(tmp_path)[-1].stat().st_size == spool.pending_bytes
        spool.write_ahead(PIECE, len(LEAD))
        spool.write_ahead(PIECE[:7], 1)
    with opened(tmp_path) as spool:
        assert (pending(spool), spool.torn_bytes, spool.corrupt_bytes) == (expected, 0, 0)


def test_another_segment_leaves_nothing_behind_of_what_was_written_ahead(spool: Spool, tmp_path: Path) -> None:
    spool.append([bytes(60)])
    spool.write_ahead(PIECE, len(LEAD))
    spool.append([(LEAD, PIECE)])
    assert [one.stat().st_size for one in segments(tmp_path)] == [60 + HEADER, len(LEAD + PIECE) + HEADER]
    assert pending(spool) == [bytes(60), LEAD + PIECE]


@pytest.mark.parametrize("reaches", [0, 1, 11, 12, 15, 40, 10_000])
def test_what_was_written_ahead_of_a_crash_is_cut_whatever_it_looks_like(tmp_path: Path, reaches: int) -> None:
    (tmp_path / "killed").mkdir()
    with opened(tmp_path / "spool", segment_bytes=10_000) as spool:
        spool.append([b"before"])
        file = segments(tmp_path / "spool")[0]
        end = file.stat().st_size
        # Who knows the spool's name, and where a frame would lie in what is written ahead, can make one.
        forged, _ = encode([b"forged"], google_crc32c.value(file.name.encode()), end + HEADER + len(LEAD))
        spool.write_ahead(b"".join(forged) + PIECE, len(LEAD))
        left = tmp_path / "killed" / file.name
        left.write_bytes(file.read_bytes()[: end + reaches])
    with opened(tmp_path / "killed") as spool:
        assert pending(spool) == [b"before"]
        assert (spool.corrupt_bytes, spool.torn_bytes) == (0, min(reaches, HEADER + len(LEAD) + 18 + len(PIECE)))
        spool.append([b"after"])
        assert pending(spool) == [b"before", b"after"]


@pytest.mark.parametrize("room", [150, 170, 300], ids=lambda room: f"{room} bytes of disk")
def test_a_disk_that_has_no_room_for_what_is_ahead_says_so_of_the_frame(tmp_path: Path, room: int) -> None:
    with opened(tmp_path, segment_bytes=10_000) as spool:
        spool.append([bytes(138)])
        _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            spool.write_ahead(PIECE, len(LEAD))
            assert segments(tmp_path)[0].stat().st_size == 150
            with pytest.raises(SpoolFull):
                spool.append([(LEAD, PIECE)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        spool.append([(LEAD, PIECE)])
        assert pending(spool) == [bytes(138), LEAD + PIECE]


def test_a_disk_that_does_not_take_back_what_is_ahead_either_says_so_of_the_frame(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=10_000) as spool:
        spool.append([b"kept"])
        descriptor = spool._journal._writer._fd
        writable, read_only = os.dup(descriptor), os.open(segments(tmp_path)[0], os.O_RDONLY)
        os.dup2(read_only, descriptor)
        spool.write_ahead(PIECE, len(LEAD))
        with pytest.raises(SpoolUnavailable):
            spool.append([(LEAD, PIECE)])
        os.dup2(writable, descriptor)
        spool.append([(LEAD, PIECE)])
        assert pending(spool) == [b"kept", LEAD + PIECE]
        for one in (writable, read_only):
            os.close(one)


def test_damage_in_the_middle_is_skipped_and_counted_once(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=10_000) as spool:
        positions = spool.append([b"a" * 20, b"b" * 20, b"c" * 20, b"d" * 20])
    data = bytearray(segments(tmp_path)[0].read_bytes())
    data[positions[1].offset + HEADER + 3] ^= 1
    segments(tmp_path)[0].write_bytes(data)
    with opened(tmp_path) as spool:
        for _ in range(2):
            assert pending(spool) == [b"a" * 20, b"c" * 20, b"d" * 20]
            assert (spool.corrupt_frames, spool.corrupt_bytes, spool.torn_bytes) == (1, 32, 0)
        spool.acknowledge(positions[1])
        assert pending(spool) == [b"c" * 20, b"d" * 20]
        assert spool.pending_bytes == 64
        assert (spool.corrupt_frames, spool.corrupt_bytes) == (1, 32)


def test_a_frame_inside_a_payload_is_not_taken_for_one(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=10_000) as spool:
        spool.append([b"inner"])
        inner = segments(tmp_path)[0].read_bytes()
        (position,) = spool.append([b"x" + inner * 3])
        spool.append([b"next"])
    data = bytearray(segments(tmp_path)[0].read_bytes())
    data[position.offset] ^= 1
    segments(tmp_path)[0].write_bytes(data)
    with opened(tmp_path) as spool:
        assert pending(spool) == [b"inner", b"next"]


def test_damage_larger_than_the_read_window_is_skipped(tmp_path: Path) -> None:
    bounds = {"segment_bytes": 10_000_000, "limit_bytes": 10_000_000}
    with opened(tmp_path, **bounds) as spool:
        first, second, _ = spool.append([b"first", bytes(700_000), b"last"])
    data = bytearray(segments(tmp_path)[0].read_bytes())
    data[first.offset + 4 : first.offset + 8] = b"\xff\xff\xff\x7f"
    data[second.offset + 100] ^= 1
    segments(tmp_path)[0].write_bytes(data)
    with opened(tmp_path, **bounds) as spool:
        assert pending(spool) == [b"last"]
        assert spool.corrupt_bytes == 700_000 + 5 + 2 * HEADER


def test_a_damaged_checkpoint_delivers_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path, retain_bytes=10_000) as spool:
        spool.acknowledge(spool.append([b"a", b"b"])[-1])
    path = tmp_path / "checkpoint"
    path.write_text(path.read_text().replace("-0000000d", "-00000000"))
    with opened(tmp_path) as spool:
        assert pending(spool) == [b"a", b"b"]
    assert "delivered again" in caplog.text


def test_positions_go_on_when_every_segment_is_gone(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        (first,) = spool.append([b"a"])
        spool.acknowledge(first)
    for path in segments(tmp_path):
        path.unlink()
    with opened(tmp_path) as spool:
        (second,) = spool.append([b"b"])
        assert second > first
        assert pending(spool) == [b"b"]


def test_a_position_lost_with_the_tail_is_not_given_again(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        lost = spool.append([b"a", b"read, then lost in a power cut"])[-1]
    os.truncate(segments(tmp_path)[0], lost.offset + 7)
    with opened(tmp_path) as spool:
        assert spool.torn_bytes == 7
        assert spool.append([b"b"]) > [lost]
        assert pending(spool) == [b"a", b"b"]


def test_restarts_leave_no_empty_segments(tmp_path: Path) -> None:
    for _ in range(5):
        opened(tmp_path).close()
    assert len(segments(tmp_path)) == 1


def test_a_second_opening_is_refused_and_names_the_holder(tmp_path: Path) -> None:
    with opened(tmp_path):
        with pytest.raises(SpoolLocked, match=f"process {os.getpid()}") as caught:
            opened(tmp_path)
        assert caught.value.kind is Kind.FAILED_PRECONDITION
        script = (
            "import sys, pathlib; from slipway.spool import Spool; "
            "Spool.open(pathlib.Path(sys.argv[1]), segment_bytes=1, limit_bytes=99, sync='always')"
        )
        child = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
        assert "SpoolLocked" in child.stderr
    opened(tmp_path).close()


def test_two_spools_in_one_folder_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        opened(tmp_path / name).close()
    stranger = segments(tmp_path / "two")[0]
    stranger.rename(tmp_path / "one" / stranger.name.replace("-00000001", "-00000009"))
    with pytest.raises(MixedSpools, match="two spools"):
        opened(tmp_path / "one")


@pytest.mark.parametrize(
    "bounds",
    [{"segment_bytes": 0}, {"limit_bytes": 12}, {"retain_bytes": -1}, {"sync": "never"}, {"segment_bytes": 1 << 40}],
)
def test_a_bad_bound_is_named(tmp_path: Path, bounds: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        opened(tmp_path, **bounds)
    assert [violation.field for violation in caught.value.violations] == list(bounds)


def test_a_root_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(SpoolUnavailable):
        opened(tmp_path / "taken")


def test_another_thread_makes_durable_what_was_there_when_it_began(spool: Spool, tmp_path: Path) -> None:
    first, second = spool.append([b"one"])[0], spool.append([b"two"])[0]
    syncing = spool.begin_sync(first)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(syncing.run)
        spool.append([b"three"])
        running.result()
    spool.end_sync(syncing)
    assert spool.acknowledged == first
    assert pending(spool) == [b"two", b"three"]
    rest = spool.begin_sync(second)
    assert len(rest.unsynced) == 1
    rest.run()
    spool.end_sync(rest)
    assert not spool.begin_sync(second).unsynced
    assert Checkpoint(tmp_path).load() == second


def test_another_thread_syncs_all_segments_that_have_grown(spool: Spool) -> None:
    for _ in range(3):
        spool.append([bytes(80)])
    syncing = spool.begin_sync(spool.acknowledged)
    assert len(syncing.unsynced) == 3
    spool.append([bytes(80)])
    syncing.run()
    spool.sync()
    spool.end_sync(syncing)
    assert not spool.begin_sync(spool.acknowledged).unsynced
    assert len(pending(spool)) == 4


def test_a_sync_in_another_thread_that_fails_is_told_and_its_segment_left(spool: Spool, tmp_path: Path) -> None:
    spool.append([b"one"])
    syncing = spool.begin_sync(spool.acknowledged)
    os.close(syncing.unsynced[0][1]._descriptor)
    syncing.run()
    with pytest.raises(SpoolUnavailable):
        spool.end_sync(syncing)
    spool.append([b"two"])
    assert len(segments(tmp_path)) == 2
    spool.sync()
    assert pending(spool) == [b"one", b"two"]


def test_a_position_that_was_not_read_is_no_end_of_a_sync(spool: Spool) -> None:
    with pytest.raises(InvalidInput, match="past the last frame"):
        spool.begin_sync(Position(9, 0))


def test_an_earlier_checkpoint_comes_too_late(spool: Spool) -> None:
    first, second = spool.append([b"one", b"two"])
    syncing = spool.begin_sync(first)
    spool.acknowledge(second)
    syncing.run()
    spool.end_sync(syncing)
    assert spool.acknowledged == second
    assert pending(spool) == []
