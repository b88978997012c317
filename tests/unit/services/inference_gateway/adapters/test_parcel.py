from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.adapters.log_frame import Frame, head_bytes
from services.inference_gateway.adapters.parcel import Parcel, parcels
from slipway.spool import Position

NOW = 1_370_044_800_000_001
LARGE = 8 * 1024

FRAMES = st.lists(
    st.tuples(
        st.sampled_from(["late", "fraud", "ü"]),
        st.sampled_from([1, 100, LARGE - 1, LARGE, 40_000]),
        st.sampled_from([0, 1, 1, 1, 2]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    max_size=60,
)
Placed = list[tuple[Position, Frame]]


def placed(told: list[tuple[str, int, int, int]]) -> Placed:
    """Frames in a spool, each told as its key, its value's bytes, its turn and whether a segment begins with it."""
    segment, offset, found = 1, 0, []
    for number, (key, size, turn, begins) in enumerate(told):
        segment, offset = (segment + 1, 0) if begins else (segment, offset)
        found.append(
            (Position(segment, offset), Frame(turn, key, NOW, (number.to_bytes(2, "little") * (size // 2 or 1),)))
        )
        offset += 12 + found[-1][1].size_bytes
    return found


def values(found: list[Parcel]) -> dict[str, list[bytes]]:
    by_key: dict[str, list[bytes]] = defaultdict(list)
    for one in found:
        by_key[one.frames[0].key] += [frame.value for frame in one.frames]
    return by_key


@given(FRAMES)
def test_every_frame_is_in_one_parcel_in_the_order_of_its_key(told: list[tuple[str, int, int, int]]) -> None:
    frames = placed(told)
    found = list(parcels(frames))
    expected: dict[str, list[bytes]] = defaultdict(list)
    for _, frame in frames:
        expected[frame.key].append(frame.value)
    assert values(found) == expected
    assert sum(one.done.frames for one in found if one.done) == len(frames)
    assert sum(one.done.size_bytes for one in found if one.done) == sum(frame.size_bytes for _, frame in frames)
    assert not found or found[-1].done is not None


@given(FRAMES)
def test_what_goes_together_is_small_and_of_one_turn_segment_and_key(told: list[tuple[str, int, int, int]]) -> None:
    frames = placed(told)
    places = {id(frame): position for position, frame in frames}
    for one in parcels(frames):
        assert one.position == places[id(one.frames[0])]
        if len(one.frames) > 1:
            assert len({(frame.key, frame.turn, places[id(frame)].segment) for frame in one.frames}) == 1
            assert one.frames[0].turn
            assert max(len(frame.value) for frame in one.frames) < LARGE
            assert sum(len(frame.value) for frame in one.frames) <= 64 * 1024


@given(FRAMES)
def test_whoever_goes_on_behind_what_is_done_finds_the_same_parcels(told: list[tuple[str, int, int, int]]) -> None:
    frames = placed(told)
    found = list(parcels(frames))
    for number, one in enumerate(found):
        if one.done is not None:
            last = one.done.last
            assert list(parcels([each for each in frames if each[0] > last])) == found[number + 1 :]


def test_they_are_bounded_in_number_and_in_bytes() -> None:
    frames = placed([("late", 1, 1, 0)] * 1300)
    assert [len(one.frames) for one in parcels(frames)] == [512, 512, 276]
    frames = placed([("late", 1000, 2, 0)] * 100)
    assert [len(one.frames) for one in parcels(frames)] == [65, 35]
    assert [len(one.frames) for one in parcels(frames, 2999)] == [2] * 50


@given(st.sampled_from([0, 1, 2]), st.text(max_size=60), st.lists(st.binary(max_size=40), min_size=1, max_size=3))
def test_a_frame_is_what_was_packed(turn: int, key: str, pieces: list[bytes]) -> None:
    frame = Frame(turn, key, NOW, tuple(pieces))
    data = b"".join(frame.pack())
    assert len(data) == frame.size_bytes
    assert len(data) - len(frame.value) == head_bytes(key)
    found = Frame.unpack(data)
    assert (found.turn, found.key, found.time_us, found.value) == (turn, key, NOW, frame.value)
