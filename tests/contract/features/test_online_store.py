from __future__ import annotations

import asyncio
import threading

from redis import Redis

from services.feature_serving.adapters.redis import RedisStore
from services.feature_serving.domain import wire
from services.feature_serving.domain.reading import Lookup
from services.feature_serving.domain.rows import Batch, Row
from services.feature_serving.ports.online_store import OnlineStore

STAMP = b"_ts:v"


def batch(*rows: Row, missing: tuple[bytes, ...] = ()) -> Batch:
    return Batch(STAMP, (b"f", b"g"), missing, rows)


def row(key: str, moment_us: int, *values: bytes) -> Row:
    return Row(key.encode(), moment_us, values or (b"1", b"2"))


async def stored(store: OnlineStore, *keys: bytes) -> list[list[bytes | None]]:
    (found,) = await store.read([Lookup(keys, (b"f", b"g", b"old", STAMP), range(len(keys)))])
    return [list(one) for one in found]


async def test_rows_are_written_whole_where_the_event_time_is_the_expected_one(online_store: OnlineStore) -> None:
    first = [row("a", 5), row("b", 5, b"", b"\0\xff")]
    assert await online_store.swap(batch(), first, [None, None]) == [True, True]
    five = wire.timestamp(5)
    assert await online_store.stamps([b"a", b"b", b"c"], STAMP) == [five, five, None]
    second = [row("a", 6, b"3", b"4"), row("b", 6, b"3", b"4"), row("c", 6, b"3", b"4")]
    assert await online_store.swap(batch(), second, [five, wire.timestamp(4), five]) == [True, False, False]
    six = wire.timestamp(6)
    found = await stored(online_store, b"a", b"b", b"c")
    assert found == [[b"3", b"4", None, six], [b"", b"\0\xff", None, five], [None] * 4]


async def test_missing_features_go_with_the_write_and_views_do_not_touch_each_other(online_store: OnlineStore) -> None:
    old = Batch(b"_ts:w", (b"old",), (), ())
    await online_store.swap(old, [row("a", 9, b"x")], [None])
    assert (await stored(online_store, b"a"))[0] == [None, None, b"x", None]
    await online_store.swap(batch(missing=(b"old",)), [row("a", 5)], [None])
    assert (await stored(online_store, b"a"))[0] == [b"1", b"2", None, wire.timestamp(5)]
    assert await online_store.stamps([b"a"], b"_ts:w") == [wire.timestamp(9)]


async def test_a_thousand_features_fit(online_store: OnlineStore) -> None:
    fields = tuple(b"%d" % n for n in range(1_000))
    wide = Batch(STAMP, fields[:500], fields[500:], ())
    assert await online_store.swap(wide, [row("a", 1, *fields[:500])], [None]) == [True]
    everything = Batch(STAMP, fields, (), ())
    assert await online_store.swap(everything, [row("a", 2, *fields)], [wire.timestamp(1)]) == [True]
    assert await online_store.read([Lookup([b"a"], fields, [0])]) == [[list(fields)]]


async def test_lookups_of_no_key_find_nothing(online_store: OnlineStore) -> None:
    assert await online_store.read([Lookup([], (b"f",), [-1])]) == [[]]


async def test_a_store_is_whole_from_the_end_of_a_rebuild_until_it_is_emptied(
    online_store: RedisStore, redis_database: Redis
) -> None:
    assert not await online_store.whole()
    mark = await online_store.begin()
    assert not await online_store.whole()
    assert await online_store.end(mark)
    assert await online_store.whole()
    assert (await online_store.state()).keys == 0
    redis_database.flushdb()
    assert not await online_store.whole()


async def test_a_store_that_is_emptied_during_a_rebuild_is_not_whole_after_it(
    online_store: RedisStore, redis_database: Redis
) -> None:
    mark = await online_store.begin()
    redis_database.flushdb()
    assert not await online_store.end(mark)
    assert not await online_store.whole()


async def test_two_that_rebuild_at_once_are_both_done_when_the_first_is(online_store: RedisStore) -> None:
    first, second = await online_store.begin(), await online_store.begin()
    assert await online_store.end(first)
    assert await online_store.end(second)
    assert await online_store.whole()


async def test_what_another_server_said_of_itself_does_not_count(
    online_store: RedisStore, redis_database: Redis
) -> None:
    assert await online_store.end(await online_store.begin())
    (key,) = redis_database.keys("_whole:*")
    redis_database.set(key, "0" * 40)
    assert not await online_store.whole()
    assert await online_store.end(await online_store.begin())
    assert await online_store.whole()


async def test_the_note_is_never_counted_though_it_comes_and_goes(
    online_store: RedisStore, redis_database: Redis
) -> None:
    await online_store.begin()
    (key,) = redis_database.keys("_whole:*")
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            redis_database.delete(key)
            redis_database.set(key, "0" * 40)

    coming = asyncio.ensure_future(asyncio.to_thread(come_and_go))
    try:
        assert {(await online_store.state()).keys for _ in range(300)} == {0}
    finally:
        over.set()
        await coming
