"""The pull feed."""

import asyncio

import pytest
from tests.unit.world import ROOT, World

from elasticlake.errors import EventsExpired, NoSuchBucket
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.model.accounts import Token
from elasticlake.service.feed import Feed
from elasticlake.service.tail import Tail


async def sequences(world: World, after: int | None, limit: int = 100, wait_seconds: float = 0) -> list[int]:
    page = await world.feed.after(ROOT, "bucket", after, limit, wait_seconds)
    return [event.sequence for event in page.events]


async def test_events_after_a_sequence(world: World) -> None:
    await world.bucket("bucket")
    for number in range(5):
        await world.put("bucket", b"%d" % number)
    assert await sequences(world, 0) == [1, 2, 3, 4, 5]
    assert await sequences(world, 2, limit=2) == [3, 4]
    assert await sequences(world, 9) == []
    page = await world.feed.after(ROOT, "bucket", 5)
    assert (page.first_sequence, page.last_sequence) == (1, 5)


async def test_what_is_gone_is_said(world: World) -> None:
    bucket = await world.bucket("bucket")
    for number in range(5):
        await world.put("bucket", b"%d" % number)
    await world.trim_log(bucket, 4)
    with pytest.raises(EventsExpired) as caught:
        await sequences(world, 2)
    assert caught.value.first_sequence == 4
    assert await sequences(world, 3) == [4, 5]
    assert await sequences(world, None) == [4, 5]


async def test_a_name_used_again_starts_where_it_ended(world: World) -> None:
    await world.bucket("bucket")
    await world.put("bucket", b"a")
    await world.remove("bucket", b"a")
    await world.buckets.delete(world.request(), "bucket")
    await world.bucket("bucket")
    with pytest.raises(EventsExpired):
        await sequences(world, 0)
    await world.put("bucket", b"a")
    assert await sequences(world, None) == [3]


async def test_a_long_poll_ends_with_the_commit(world: World) -> None:
    told = Feed(world.core, look_again_seconds=30)
    await world.bucket("bucket")
    polls = [asyncio.create_task(told.after(ROOT, "bucket", 0, 10, 30)) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert not any(poll.done() for poll in polls)
    await world.put("bucket", b"a")
    async with asyncio.timeout(5):
        pages = await asyncio.gather(*polls)
    assert [[event.sequence for event in page.events] for page in pages] == [[1]] * 3


@pytest.mark.embedded
async def test_a_long_poll_sees_what_another_process_commits(world: World) -> None:
    await world.bucket("bucket")
    other = SqliteDatabase(world.folder / "core.db", durable=False)
    poll = asyncio.create_task(Feed(other).after(ROOT, "bucket", 0, 10, 30))
    await asyncio.sleep(0.05)
    await world.put("bucket", b"a")
    async with asyncio.timeout(5):
        assert len((await poll).events) == 1
    await other.close()


async def test_a_long_poll_ends_with_its_time_or_the_feed(world: World) -> None:
    await world.bucket("bucket")
    assert await sequences(world, 0, wait_seconds=0.05) == []
    poll = asyncio.create_task(sequences(world, 0, wait_seconds=30))
    await asyncio.sleep(0.05)
    world.feed.close()
    async with asyncio.timeout(5):
        assert await poll == []


async def test_other_accounts_buckets_do_not_exist(world: World) -> None:
    await world.bucket("bucket")
    with pytest.raises(NoSuchBucket):
        await world.feed.after(Token("t", "", ("acme",), "read", 0), "bucket", 0)


async def bucket_tail(world: World, after: int | None) -> Tail:
    return await world.feed.tail_bucket(await world.hierarchy.get_bucket(ROOT, "bucket"), after)


async def told(tail: Tail, limit: int = 100, wait_seconds: float = 0) -> list[int] | None:
    found = await tail.read(limit, wait_seconds)
    assert found is None or all(one.position == str(one.event.sequence) for one in found)
    return None if found is None else [one.event.sequence for one in found]


@pytest.mark.both_engines
async def test_a_tail_goes_on_from_where_it_was_read(world: World) -> None:
    await world.bucket("bucket")
    for number in range(3):
        await world.put("bucket", b"%d" % number)
    from_now, from_one = await bucket_tail(world, None), await bucket_tail(world, 1)
    assert (from_now.position, from_one.position) == ("3", "1")
    await world.put("bucket", b"3")
    assert await told(from_now) == [4]
    assert [await told(from_one, limit=2), await told(from_one, limit=2), await told(from_one)] == [[2, 3], [4], []]
    assert from_one.position == "4"


async def test_a_tail_ends_with_the_feed_and_where_the_log_went_faster(world: World) -> None:
    bucket = await world.bucket("bucket")
    for number in range(5):
        await world.put("bucket", b"%d" % number)
    slow, quick = await bucket_tail(world, 0), await bucket_tail(world, None)
    assert await told(slow, limit=1) == [1]
    await world.trim_log(bucket, 4)
    with pytest.raises(EventsExpired):
        await slow.read(100, 0)
    with pytest.raises(EventsExpired):
        await bucket_tail(world, 2)
    reading = asyncio.create_task(told(quick, wait_seconds=30))
    await asyncio.sleep(0.05)
    world.feed.close()
    async with asyncio.timeout(5):
        assert await reading is None


async def backwards(world: World, before: int | None, limit: int = 100, key: bytes | None = None) -> list[int]:
    page = await world.feed.before(ROOT, "bucket", before, limit, key)
    assert (page.first_sequence, page.last_sequence) == (2, 6)
    return [event.sequence for event in page.events]


async def test_the_latest_events_first(world: World) -> None:
    bucket = await world.bucket("bucket")
    for number in range(6):
        await world.put("bucket", b"ab"[number % 2 : number % 2 + 1])
    await world.trim_log(bucket, 2)
    assert await backwards(world, None) == [6, 5, 4, 3, 2]
    assert await backwards(world, 5, limit=2) == [4, 3]
    assert await backwards(world, None, key=b"a") == [5, 3]
    assert await backwards(world, 5, key=b"a") == [3]
    assert await backwards(world, 2) == []
    with pytest.raises(NoSuchBucket):
        await world.feed.before(Token("t", "", ("acme",), "read", 0), "bucket", None)


async def test_the_events_of_one_key(world: World) -> None:
    bucket = await world.bucket("bucket")
    for number in range(6):
        await world.put("bucket", b"ab"[number % 2 : number % 2 + 1])
    page = await world.feed.after(ROOT, "bucket", 1, 2, key=b"a")
    assert [event.sequence for event in page.events] == [3, 5]
    polls = asyncio.create_task(world.feed.after(ROOT, "bucket", 5, 10, 30, key=b"a"))
    await world.put("bucket", b"b")
    await asyncio.sleep(0.05)
    assert not polls.done()
    await world.put("bucket", b"a")
    assert [event.sequence for event in (await asyncio.wait_for(polls, 5)).events] == [8]
    await world.trim_log(bucket, 3)
    with pytest.raises(EventsExpired):
        await world.feed.after(ROOT, "bucket", 1, key=b"a")
