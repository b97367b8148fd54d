"""The tail of a lake's and a pond's logs."""

import asyncio
from collections.abc import Iterable

import pytest
from tests.unit.world import ROOT, World

from elasticlake.errors import PositionExpired, TooManyBuckets
from elasticlake.model.accounts import Token
from elasticlake.model.positions import Positions
from elasticlake.service import place_tail
from elasticlake.service.feed import Feed
from elasticlake.service.place_tail import NAMED_BUCKETS, SETTLED_MS, Place
from elasticlake.service.tail import Tail, Told

Seen = list[tuple[str, int]]


async def lake(world: World, slug: str = "lake1") -> Place:
    return Place("lake", (await world.hierarchy.get_lake(ROOT, slug)).id)


async def tail_of(world: World, place: Place, after: str | None = None, token: Token = ROOT) -> Tail:
    positions = None if after is None else Positions.parse(after, "after")
    return await world.feed.tail_place(token, place, positions)


async def drain(tail: Tail, limit: int = 100) -> list[Told]:
    """What there is to read, until nothing comes for a moment."""
    found: list[Told] = []
    while told := await tail.read(limit, 0):
        found += told
    return found


def seen(found: Iterable[Told]) -> Seen:
    return sorted((told.event.bucket, told.event.sequence) for told in found)


async def test_from_now_on_each_bucket_in_sequence(world: World) -> None:
    for name in ("lake1--p--a", "lake1--q--b", "lake2--p--c", "plain"):
        await world.bucket(name)
        await world.put(name, b"old")
    tail = await tail_of(world, await lake(world))
    assert await drain(tail) == []
    for key in (b"1", b"2", b"3"):
        for name in ("lake1--p--a", "lake1--q--b", "lake2--p--c", "plain"):
            await world.put(name, key)
    found = await drain(tail, limit=2)
    assert seen(found) == [(name, sequence) for name in ("lake1--p--a", "lake1--q--b") for sequence in (2, 3, 4)]
    of_a = [told.event.sequence for told in found if told.event.bucket == "lake1--p--a"]
    assert of_a == [2, 3, 4]
    assert {told.event.bucket for told in found[:4]} == {"lake1--p--a", "lake1--q--b"}, "they take turns"


async def test_every_position_leads_on_to_exactly_the_rest(world: World) -> None:
    for name in ("lake1--p--a", "lake1--p--b"):
        await world.bucket(name)
        await world.put(name, b"old")
    place = await lake(world)
    tail = await tail_of(world, place)
    start = tail.position
    for number in range(3):
        await world.put("lake1--p--a", b"%d" % number)
        await world.put("lake1--p--b", b"%d" % number)
    found = await drain(tail, limit=2)
    assert seen(await drain(await tail_of(world, place, start))) == seen(found)
    for index, told in enumerate(found):
        rest = await drain(await tail_of(world, place, told.position))
        assert seen(rest) == seen(found[index + 1 :])


async def test_buckets_made_later_and_deleted_ones(world: World) -> None:
    await world.bucket("lake1--p--a")
    place = await lake(world)
    tail = await tail_of(world, place)
    start = tail.position
    await world.bucket("lake1--new--b")
    await world.put("lake1--new--b", b"x")
    await world.remove("lake1--new--b", b"x")
    await world.buckets.delete(world.request(), "lake1--new--b")
    expected = [("lake1--new--b", 1), ("lake1--new--b", 2)]
    assert seen(await drain(await tail_of(world, place, start))) == expected
    async with asyncio.timeout(10):
        assert seen(await tail.read(10, 5) or ()) == expected


async def test_a_pond_is_its_own_buckets(world: World) -> None:
    for name in ("lake1--p--a", "lake1--q--b"):
        await world.bucket(name)
    pond = Place("pond", (await world.hierarchy.get_pond(ROOT, "lake1", "q")).id)
    tail = await tail_of(world, pond)
    await world.put("lake1--p--a", b"x")
    await world.put("lake1--q--b", b"x")
    assert seen(await drain(tail)) == [("lake1--q--b", 1)]


async def test_a_token_sees_its_own_accounts_buckets(world: World) -> None:
    await world.accounts.create(ROOT, "acme", "Acme", "a@b")
    await world.bucket("mine", "acme")
    await world.bucket("theirs")
    token = Token("t", "", ("acme",), "read", 0)
    place = await lake(world, "default")
    tail = await tail_of(world, place, token=token)
    await world.put("mine", b"x")
    await world.put("theirs", b"x")
    assert seen(await drain(tail)) == [("mine", 1)]
    assert seen(await drain(await tail_of(world, place, "0", token))) == [("mine", 1)]


async def test_zero_is_everything_that_is_kept(world: World) -> None:
    bucket = await world.bucket("lake1--p--a")
    for number in range(4):
        await world.put("lake1--p--a", b"%d" % number)
    await world.trim_log(bucket, 3)
    assert seen(await drain(await tail_of(world, await lake(world), "0"))) == [("lake1--p--a", 3), ("lake1--p--a", 4)]


async def test_an_expired_position_says_of_which_bucket(world: World) -> None:
    bucket = await world.bucket("lake1--p--a")
    await world.put("lake1--p--a", b"0")
    place = await lake(world)
    tail = await tail_of(world, place)
    start = tail.position
    for number in range(3):
        await world.put("lake1--p--a", b"%d" % number)
    await world.trim_log(bucket, 2)
    assert len(await drain(await tail_of(world, place, start))) == 3
    await world.trim_log(bucket, 3)
    with pytest.raises(PositionExpired, match=r"lake1--p--a .* sequence 3"):
        await tail_of(world, place, start)


async def test_an_older_state_that_took_over_is_read_from_its_end(world: World) -> None:
    bucket = await world.bucket("lake1--p--a")
    await world.put("lake1--p--a", b"0")
    tail = await tail_of(world, await lake(world), str(Positions(0, {bucket.id: 9})))
    await world.put("lake1--p--a", b"1")
    assert seen(await drain(tail)) == [("lake1--p--a", 2)]


async def many_buckets(world: World, count: int) -> list[str]:
    names = [f"lake1--p--b{number}" for number in range(count)]
    for name in names:
        await world.bucket(name)
        await world.put(name, b"old")
    return names


async def test_of_many_buckets_a_position_names_only_those_that_moved_of_late(world: World) -> None:
    names = await many_buckets(world, NAMED_BUCKETS + 5)
    place = await lake(world)
    assert len(Positions.parse((await tail_of(world, place)).position, "").sequences) == len(names)
    world.clock.time_ms += SETTLED_MS + 1
    tail = await tail_of(world, place)
    start = tail.position
    assert Positions.parse(start, "").sequences == {}
    await world.put(names[0], b"new")
    (told,) = await drain(tail)
    assert len(Positions.parse(told.position, "").sequences) == 1
    world.clock.time_ms += 1000
    for name in names[:3]:
        await world.put(name, b"newer")
    await world.bucket("lake1--p--c")
    await world.put("lake1--p--c", b"first")
    rest = [(names[0], 3), (names[1], 2), (names[2], 2), ("lake1--p--c", 1)]
    assert seen(await drain(await tail_of(world, place, told.position))) == sorted(rest)
    assert seen(await drain(await tail_of(world, place, start))) == sorted([*rest, (names[0], 2)])


async def test_what_is_gone_of_an_unnamed_bucket_is_said(world: World) -> None:
    names = await many_buckets(world, NAMED_BUCKETS + 1)
    place = await lake(world)
    world.clock.time_ms += SETTLED_MS + 1
    start = (await tail_of(world, place)).position
    for _ in range(2):
        await world.put(names[0], b"new")
    await world.trim_log(await world.hierarchy.get_bucket(ROOT, names[0]), 3)
    with pytest.raises(PositionExpired, match=names[0]):
        await tail_of(world, place, start)


async def test_a_name_used_again_has_lost_nothing(world: World) -> None:
    names = await many_buckets(world, NAMED_BUCKETS + 1)
    await world.remove(names[0], b"old")
    await world.buckets.delete(world.request(), names[0])
    await world.bucket(names[0])
    world.clock.time_ms += SETTLED_MS + 1
    place = await lake(world)
    start = (await tail_of(world, place)).position
    await world.put(names[0], b"new")
    assert seen(await drain(await tail_of(world, place, start))) == [(names[0], 3)]


async def test_a_position_that_would_be_too_long_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_tail, "MAX_BUCKETS", 3)
    await many_buckets(world, 4)
    tail = await tail_of(world, await lake(world))
    with pytest.raises(TooManyBuckets, match="More than 3 buckets"):
        _ = tail.position


async def test_a_wait_ends_with_the_commit_and_with_the_feed(world: World) -> None:
    await world.bucket("lake1--p--a")
    told = Feed(world.core, look_again_seconds=60, clock=world.clock)
    tail = await told.tail_place(ROOT, await lake(world), None)
    reading = asyncio.create_task(tail.read(10, 60))
    await asyncio.sleep(0.05)
    assert not reading.done()
    await world.put("lake1--p--a", b"x")
    async with asyncio.timeout(10):
        assert seen(await reading or ()) == [("lake1--p--a", 1)]
        reading = asyncio.create_task(tail.read(10, 60))
        await asyncio.sleep(0.05)
        told.close()
        assert await reading is None


async def test_without_news_a_wait_ends_with_its_time(world: World) -> None:
    await world.bucket("lake1--p--a")
    tail = await tail_of(world, await lake(world))
    assert await tail.read(10, 0.05) == []
