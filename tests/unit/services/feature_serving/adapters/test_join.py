"""The join against an oracle that asks each row of the spine on its own, in plain Python."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.feature_serving.adapters.join.__main__ import make
from services.feature_serving.adapters.join.job import Job, Unusable
from services.feature_serving.adapters.sources import digest_of, files_of
from services.feature_serving.domain.recipe import Ingredient, Recipe, Substitute, Typed, Windowed

MINUTE_US = 60_000_000
START_US = 1_356_998_400_000_000
Rows = Sequence[Mapping[str, Any]]

PLAIN = Ingredient(
    view="planes",
    revision=1,
    entities=(Typed("tailnum", "STRING"),),
    features=(Typed("seats", "INT64"), Typed("delay", "DOUBLE")),
    max_age_us=30 * MINUTE_US,
    path="events.parquet",
    event_time_column="known",
    created_time_column="written",
    digest="",
)
FUNCTIONS = ("COUNT", "SUM", "MEAN", "MIN", "MAX", "STDDEV")
WINDOWED = Ingredient(
    view="late",
    revision=3,
    entities=(Typed("tailnum", "STRING"), Typed("number", "")),
    features=tuple(
        Typed(f"{name.lower()}_{hops}", "INT64" if name == "COUNT" else "DOUBLE")
        for name in FUNCTIONS
        for hops in (1, 3)
    ),
    max_age_us=None,
    path="events.parquet",
    event_time_column="known",
    created_time_column="",
    digest="",
    windows=tuple(
        Windowed(f"{name.lower()}_{hops}", "delay", name, hops * 10 * MINUTE_US)
        for name in FUNCTIONS
        for hops in (1, 3)
    ),
    hop_us=10 * MINUTE_US,
)


def moment(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def joined(
    folder: Path,
    spine: pa.Table,
    events: pa.Table,
    *ingredients: Ingredient,
    cutoff_us: int | None = None,
    **limits: int,
) -> tuple[pa.Table, dict[str, Any]]:
    """The set, and what is told about it."""
    pq.write_table(spine, folder / "spine.parquet")
    pq.write_table(events, folder / "events.parquet", row_group_size=7)
    made = [one.of(digest_of(files_of(folder / "events.parquet"))) for one in ingredients]
    features = tuple(f"{one.view}:{feature.name}" for one in made for feature in one.features)
    recipe = Recipe("sha256:s", "svc", 1, features, tuple(made), cutoff_us, "code")
    out = folder / "out.parquet"
    limits = {"threads": 1, "memory_mib": 256, **limits}
    facts = make(Job(recipe, folder / "spine.parquet", out, folder, folder / "spill", **limits))
    return pq.read_table(out), facts


def spine_of(rows: Rows) -> pa.Table:
    kinds = {
        "tailnum": pa.string(),
        "number": pa.int32(),
        "event_time": pa.timestamp("us", "UTC"),
        "label_time": pa.timestamp("us"),
    }
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()})


def events_of(rows: Rows) -> pa.Table:
    kinds = {
        "tailnum": pa.string(),
        "number": pa.int64(),
        "known": pa.timestamp("us", "UTC"),
        "written": pa.int64(),
        "seats": pa.int16(),
        "delay": pa.float64(),
    }
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()})


def latest(row: Mapping[str, Any], events: Rows, cutoff_us: int | None) -> dict[str, Any]:
    """The oracle of a plain view."""
    best = None
    for event in events:
        at, newest = event["known"], None if best is None else (best["known"], _order(best))
        if at is None or event["tailnum"] is None or event["tailnum"] != row["tailnum"] or at > row["event_time"]:
            continue
        if cutoff_us is not None and at > cutoff_us:
            continue
        if newest is None or (at, _order(event)) >= newest:
            best = event
    if best is None or row["event_time"] - best["known"] > 30 * MINUTE_US:
        return {"planes__seats": None, "planes__delay": None}
    return {"planes__seats": best["seats"], "planes__delay": best["delay"]}


def _order(event: Mapping[str, Any]) -> int:
    return -1 if event["written"] is None else event["written"]


def windowed(row: Mapping[str, Any], events: Rows) -> dict[str, Any]:
    """The oracle of a windowed view."""
    hop_us = 10 * MINUTE_US
    end = row["event_time"] // hop_us * hop_us
    own = [
        one
        for one in events
        if one["known"] is not None
        and one["known"] < end
        and (one["tailnum"], one["number"]) == (row["tailnum"], row["number"])
        and None not in {row["tailnum"], row["number"]}
    ]
    if not own:
        return {f"late__{one.feature}": None for one in WINDOWED.windows}
    return {f"late__{one.feature}": _value(one, own, end) for one in WINDOWED.windows}


def _value(one: Windowed, events: Rows, end: int) -> float | None:
    values = [
        event["delay"] for event in events if event["known"] >= end - one.window_us and event["delay"] is not None
    ]
    if one.function == "COUNT":
        return len(values)
    if not values:
        return None
    made = {"SUM": math.fsum, "MEAN": statistics.fmean, "MIN": min, "MAX": max, "STDDEV": statistics.pstdev}
    return float(made[one.function](values))


MOMENTS = st.integers(-40, 90).map(lambda minute: START_US + minute * MINUTE_US // 2)
# Mostly one entity, or few rows would meet.
TAILS = st.sampled_from(["N1"] * 6 + ["N2", None])
NUMBERS = st.sampled_from([7] * 6 + [-1, None])
EVENT = st.fixed_dictionaries(
    {
        "tailnum": TAILS,
        "number": NUMBERS,
        "known": st.one_of(MOMENTS, st.none()),
        "written": st.one_of(st.integers(0, 3), st.none()),
        "seats": st.one_of(st.integers(0, 400), st.none()),
        "delay": st.one_of(st.floats(-1e3, 1e3), st.none()),
    }
)
QUESTION = st.fixed_dictionaries(
    {"tailnum": TAILS, "number": NUMBERS, "event_time": MOMENTS, "label_time": st.one_of(MOMENTS, st.none())}
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 12).flatmap(lambda size: st.lists(QUESTION, min_size=size, max_size=size)),
    st.integers(0, 30).flatmap(lambda size: st.lists(EVENT, min_size=size, max_size=size)),
    st.sampled_from([None, None, START_US + 30 * MINUTE_US]),
)
def test_it_is_what_an_oracle_says(questions: Rows, events: Rows, cutoff_us: int | None) -> None:
    with TemporaryDirectory() as folder:
        table, facts = joined(
            Path(folder), spine_of(questions), events_of(events), PLAIN, WINDOWED, cutoff_us=cutoff_us
        )
    kept = [
        row
        for row in questions
        if cutoff_us is None
        or (row["event_time"] <= cutoff_us and row["label_time"] is not None and row["label_time"] <= cutoff_us)
    ]
    assert facts["rows_after_cutoff"] == len(questions) - len(kept)
    assert facts["row_count"] == table.num_rows == len(kept)
    for row, found in zip(kept, table.to_pylist(), strict=True):
        assert (found["tailnum"], found["number"]) == (row["tailnum"], row["number"])
        assert found["event_time"] == moment(row["event_time"])
        for name, value in {**latest(row, events, cutoff_us), **windowed(row, events)}.items():
            assert found[name] == (value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)), name
    nulls = {column["name"]: column["null_count"] for column in facts["columns"]}
    assert nulls == {name: table.column(name).null_count for name in table.column_names}


LACKS = ("NOT_FOUND", "NULL_VALUE", "OUTSIDE_MAX_AGE")


def plain_lack(row: Mapping[str, Any], events: Rows) -> str:
    """What the online store would have called a null of a plain view."""
    known = [
        one["known"]
        for one in events
        if one["known"] is not None
        and row["tailnum"] is not None
        and one["tailnum"] == row["tailnum"]
        and one["known"] <= row["event_time"]
    ]
    if not known:
        return "NOT_FOUND"
    return "OUTSIDE_MAX_AGE" if row["event_time"] - max(known) > 30 * MINUTE_US else "NULL_VALUE"


def windowed_lack(row: Mapping[str, Any], events: Rows) -> str:
    """The same of a windowed view: a count is null only where the entity is not known."""
    if windowed(row, events)["late__count_1"] is None:
        return "NOT_FOUND"
    return "OUTSIDE_MAX_AGE" if row["event_time"] % (10 * MINUTE_US) > 4 * MINUTE_US else "NULL_VALUE"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(QUESTION, min_size=1, max_size=12),
    st.lists(EVENT, max_size=30),
    st.lists(st.sampled_from(LACKS), min_size=1, unique=True),
)
def test_a_fallback_stands_where_serving_answers_it(questions: Rows, events: Rows, replaces: list[str]) -> None:
    plain = replace(
        PLAIN, fallbacks=(Substitute("seats", 150, tuple(replaces)), Substitute("delay", -0.5, tuple(replaces)))
    )
    made = {one.name: 7 if one.type == "INT64" else 0.1 for one in WINDOWED.features}
    late = replace(
        WINDOWED,
        max_age_us=4 * MINUTE_US,
        fallbacks=tuple(Substitute(name, value, tuple(replaces)) for name, value in made.items()),
    )
    bare = (PLAIN, replace(late, fallbacks=()))
    with TemporaryDirectory() as folder:
        table, facts = joined(Path(folder), spine_of(questions), events_of(events), plain, late)
        without, _ = joined(Path(folder), spine_of(questions), events_of(events), *bare)
    instead = {"planes__seats": 150, "planes__delay": -0.5} | {f"late__{name}": value for name, value in made.items()}
    taken = dict.fromkeys(instead, 0)
    assert table.schema == without.schema
    for row, found, was in zip(questions, table.to_pylist(), without.to_pylist(), strict=True):
        for name, value in instead.items():
            lack = plain_lack(row, events) if name.startswith("planes") else windowed_lack(row, events)
            replaced = was[name] is None and lack in replaces
            taken[name] += replaced
            assert found[name] == (value if replaced else was[name]), (name, lack)
    told = {one["name"]: one["fallback_count"] for one in facts["columns"] if one["feature"]}
    assert told == taken
    assert {one["fallback_count"] for one in facts["columns"] if not one["feature"]} == {0}


@settings(max_examples=30, deadline=None)
@given(st.lists(QUESTION, min_size=1, max_size=6), st.lists(EVENT, min_size=1, max_size=20), st.data())
def test_an_event_past_its_questions_moment_leaves_the_row_as_it_was(
    questions: Rows, events: list[dict[str, Any]], data: st.DataObject
) -> None:
    """No leak: whatever happens to what came later, and whatever it says, the row does not change."""
    row = data.draw(st.sampled_from(list(questions)))
    moved = data.draw(st.sampled_from(range(len(events))))
    if events[moved]["known"] is not None and events[moved]["known"] <= row["event_time"]:
        gone = [one for place, one in enumerate(events) if place != moved]
    else:
        gone = events
    after = row["event_time"] + data.draw(st.integers(1, 10**9))
    leak = {**events[moved], "known": after, "delay": 1e6, "seats": 400, "written": 9}
    with TemporaryDirectory() as folder:
        before, _ = joined(Path(folder), spine_of([row]), events_of(gone), PLAIN, WINDOWED)
        later, _ = joined(Path(folder), spine_of([row]), events_of([*gone, leak]), PLAIN, WINDOWED)
    assert later.to_pylist() == before.to_pylist()


def test_the_same_job_gives_the_same_bytes_whatever_the_threads(tmp_path: Path) -> None:
    rows = [
        {
            "tailnum": f"N{n % 5}",
            "number": n % 3,
            "known": START_US + n * MINUTE_US // 7,
            "written": None,
            "seats": n % 300,
            "delay": math.sin(n) * 10 ** (n % 9),
        }
        for n in range(20_000)
    ]
    questions = [{**row, "event_time": row["known"] + 1, "label_time": None} for row in rows[::3]]
    digests = set()
    for threads, order in ((1, rows), (4, rows), (2, rows[::-1])):
        joined(tmp_path, spine_of(questions), events_of(order), WINDOWED, threads=threads)
        digests.add(digest_of([tmp_path / "out.parquet"]))
    assert len(digests) == 1


def one_event(**changes: Any) -> dict[str, Any]:
    return {"tailnum": "N1", "number": 7, "known": START_US, "written": 1, "seats": 3, "delay": 1.5, **changes}


def one_question(**changes: Any) -> dict[str, Any]:
    return {"tailnum": "N1", "number": 7, "event_time": START_US + 5 * MINUTE_US, "label_time": None, **changes}


@pytest.mark.parametrize(
    ("minute", "counts"),
    [
        (0, None),
        (9, None),
        (10, (1, 1)),
        (20, (1, 2)),
        (29, (1, 2)),
        (30, (0, 2)),
        (40, (0, 1)),
        (50, (0, 0)),
        (900, (0, 0)),
    ],
)
def test_a_window_starts_with_its_first_hop_and_ends_before_the_moments_own(
    tmp_path: Path, minute: int, counts: tuple[int, int] | None
) -> None:
    """Events at the minutes 0 and 10: at the first instants of hops."""
    events = [one_event(), one_event(known=START_US + 10 * MINUTE_US)]
    later = one_question(event_time=START_US + 1000 * MINUTE_US)
    spine = spine_of([one_question(event_time=START_US + minute * MINUTE_US), later])
    table, _ = joined(tmp_path, spine, events_of(events), WINDOWED)
    found = table.to_pylist()[0]
    assert (found["late__count_1"], found["late__count_3"]) == (counts or (None, None))
    assert found["late__mean_3"] == (1.5 if counts and counts[1] else None)


@pytest.mark.parametrize(
    ("spine", "told"),
    [
        (["event_time"], "lacks the column event_time"),
        (["tailnum"], "lacks the column tailnum, a join key of view planes; it has number, event_time, label_time"),
    ],
)
def test_a_spine_that_lacks_a_column_is_told(tmp_path: Path, spine: list[str], told: str) -> None:
    with pytest.raises(Unusable, match=told):
        joined(tmp_path, spine_of([one_question()]).drop_columns(spine), events_of([one_event()]), PLAIN)


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("event_time", pa.array(["2013-01-01"]), "event_time of the spine is string; make it a timestamp"),
        ("event_time", pa.nulls(1, pa.timestamp("us")), "row 0 of the spine has no event_time"),
        ("label_time", pa.array([1]), "label_time of the spine is int64; make it a timestamp"),
        ("tailnum", pa.array([1.5]), "tailnum of the spine is double, but it is a join key of view planes"),
        ("planes__seats", pa.array([1]), "planes__seats would stand twice"),
    ],
)
def test_a_spine_with_a_wrong_column_is_told(tmp_path: Path, column: str, values: Any, told: str) -> None:
    spine = spine_of([one_question()])
    place = spine.column_names.index(column) if column in spine.column_names else spine.num_columns
    spine = (
        spine.set_column(place, column, values) if place < spine.num_columns else spine.append_column(column, values)
    )
    with pytest.raises(Unusable, match=told):
        joined(tmp_path, spine, events_of([one_event()]), PLAIN)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"event_time_column": "when"}, "has no column when; it has tailnum, number, known"),
        ({"event_time_column": "seats"}, "column seats of .* is SMALLINT, but must hold timestamps"),
        ({"created_time_column": "none"}, "has no column none"),
        ({"features": (Typed("tailnum", "DOUBLE"),)}, "column tailnum of .* is VARCHAR, but must hold DOUBLE"),
        ({"features": (Typed("gone", "DOUBLE"),)}, "has no column gone"),
        ({"entities": (Typed("tailnum", "INT64"),)}, "column tailnum of .* is VARCHAR, but must hold INT64"),
        ({"path": "none.parquet"}, "no Parquet at none.parquet"),
        ({"path": "../spine.parquet"}, "no Parquet at ../spine.parquet"),
    ],
)
def test_a_source_that_is_not_as_its_view_says_is_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(Unusable, match=told):
        joined(tmp_path, spine_of([one_question()]), events_of([one_event()]), replace(PLAIN, **change))


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    junk = replace(PLAIN, path="junk.parquet").of(digest_of([tmp_path / "junk.parquet"]))
    recipe = Recipe("sha256:s", "svc", 1, ("planes:seats",), (junk,), None, "code")
    job = Job(recipe, tmp_path / "junk.parquet", tmp_path / "out", tmp_path, tmp_path / "spill", 1, 256)
    with pytest.raises(Unusable, match="the spine is no Parquet"):
        make(job)
    pq.write_table(spine_of([one_question()]), tmp_path / "spine.parquet")
    with pytest.raises(Unusable, match=r"source of view planes .* is no Parquet"):
        make(replace(job, spine=tmp_path / "spine.parquet"))
    with pytest.raises(Unusable, match="changed since the set was asked for"):
        make(replace(job, spine=tmp_path / "spine.parquet", recipe=replace(recipe, ingredients=(junk.of("sha256:0"),))))


def test_a_value_that_does_not_fit_is_told(tmp_path: Path) -> None:
    wide = events_of([one_event()]).set_column(3, "written", pa.array([2**40]))
    narrow = replace(PLAIN, features=(Typed("written", "INT32"),))
    with pytest.raises(Unusable, match="does not fit the type of its feature"):
        joined(tmp_path, spine_of([one_question()]), wide, narrow)


def test_a_folder_and_odd_names_are_read_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "it's=1"
    folder.mkdir()
    odd = events_of([one_event()]).rename_columns(["k0", "entity", "moment", "file_index", 'a"b', "e.entity"])
    pq.write_table(odd, folder / "b.parquet")
    pq.write_table(odd.slice(0, 0), folder / "a.parquet")
    (folder / ".hidden.parquet").write_bytes(b"junk")
    view = replace(
        PLAIN,
        entities=(Typed("k0", "STRING"),),
        features=(Typed('a"b', "INT64"), Typed("e.entity", "DOUBLE")),
        path="it's=1",
        event_time_column="moment",
        created_time_column="file_index",
    )
    recipe = Recipe(
        "s", "svc", 1, ("planes:e.entity", 'planes:a"b'), (view.of(digest_of(files_of(folder))),), None, "c"
    )
    spine = spine_of([one_question()]).rename_columns(["k0", "number", "event_time", "label_time"])
    pq.write_table(spine, tmp_path / "spine.parquet")
    facts = make(Job(recipe, tmp_path / "spine.parquet", tmp_path / "o", tmp_path, tmp_path / "spill", 1, 256))
    (found,) = pq.read_table(tmp_path / "o").to_pylist()
    assert (found["planes__e.entity"], found['planes__a"b']) == (1.5, 3)
    assert facts["inputs"][0]["row_count"] == 1
    assert [one["feature"] for one in facts["columns"][-2:]] == ["planes:e.entity", 'planes:a"b']
