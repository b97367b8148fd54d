"""Retention of events: what is too old or too much goes, and a log stays whole from where it begins."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.unit.delivery.dispatching import eventually
from tests.unit.faulty_database import Faulty
from tests.unit.world import ROOT, Alone, World

from elasticlake.errors import EventsExpired
from elasticlake.metadata import audit, buckets
from elasticlake.metadata.postgres.blocking import BlockingReader
from elasticlake.metadata.postgres.blocking import connect as connect_postgres
from elasticlake.model.objects import Bucket
from elasticlake.service import trimmer as service
from elasticlake.service.check import Check
from elasticlake.service.metrics import Metrics
from elasticlake.service.pages import PageRequest
from elasticlake.service.trimmer import DAY_MS, Retention, Trimmer, first_that_fits, strata


@dataclass
class Watched:
    """Who is the eldest, as told."""

    is_eldest: bool = False
    names: frozenset[str] = field(default_factory=frozenset)


async def put(world: World, *ages_days: float, bucket: str = "bucket", key: bytes = b"key") -> None:
    """Events that happened that long ago, in this order."""
    now_ms = world.clock.time_ms
    for age_days in ages_days:
        world.clock.time_ms = now_ms - int(age_days * DAY_MS)
        await world.put(bucket, key)
    world.clock.time_ms = now_ms


def trimmer(world: World, days: int = 0, size_bytes: int = 0, metrics: Metrics | None = None) -> Trimmer:
    return Trimmer(world.stores, Alone(), Retention(days, size_bytes), metrics)


async def kept(world: World, bucket: Bucket) -> list[int]:
    """The log's sequences; the log itself is sound, though the objects' etags are made up."""
    assert [finding for finding in await findings(world) if not finding.endswith(" instead of etag")] == []
    return await world.core.read(lambda reader: list(audit.sequences(reader, bucket.id)))


async def findings(world: World) -> list[str]:
    if world.url is None:
        reader: Any = await world.core.read(lambda reader: reader)
        return await Check(reader, world.stores.blobs, read_bodies=False).run()
    with closing(connect_postgres(world.url)) as connection:
        return await Check(BlockingReader(connection), world.stores.blobs, read_bodies=False).run()


async def test_what_is_older_than_the_days_goes(world: World) -> None:
    bucket = await world.bucket("bucket")
    await put(world, 9, 3.1, 2.9, 0)
    metrics = Metrics()
    assert await trimmer(world, 3, metrics=metrics).trim()
    assert await kept(world, bucket) == [3, 4]
    assert metrics.snapshot()["elasticlake_events_trimmed_total"][()] == [2]
    with pytest.raises(EventsExpired) as caught:
        await world.feed.after(ROOT, "bucket", 1)
    assert caught.value.first_sequence == 3
    assert [event.sequence for event in (await world.feed.after(ROOT, "bucket", 2)).events] == [3, 4]


async def test_batches_follow_one_another_and_logs_take_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    monkeypatch.setattr(service, "BATCHES_IN_TURN", 2)
    monkeypatch.setattr(service, "LOGS_AT_ONCE", 1)
    first, second = await world.bucket("bucket"), await world.bucket("second")
    await put(world, *[9] * 7)
    await put(world, *[9] * 4, 0, bucket="second")
    assert not await trimmer(world, 3).trim()
    assert (await kept(world, first), await kept(world, second)) == ([5, 6, 7], [5])
    assert await trimmer(world, 3).trim()
    assert (await kept(world, first), await kept(world, second)) == ([], [5])


async def test_a_log_that_is_all_gone_goes_on(world: World) -> None:
    bucket = await world.bucket("bucket")
    await put(world, 9, 9)
    await trimmer(world, 3).trim()
    assert await kept(world, bucket) == []
    await put(world, 0)
    await trimmer(world, 3).trim()
    assert await kept(world, bucket) == [3]


async def test_nothing_younger_goes_whatever_the_clocks_said(world: World) -> None:
    bucket = await world.bucket("bucket")
    await put(world, 9, 1, 9, 9, 0)
    await trimmer(world, 3).trim()
    assert await kept(world, bucket) == [2, 3, 4, 5]


async def test_the_log_of_a_deleted_bucket_goes_as_well_and_its_name_goes_on(world: World) -> None:
    bucket = await world.bucket("bucket")
    await put(world, 9)
    await world.remove("bucket", b"key")
    await world.buckets.delete(world.request(), "bucket")
    world.clock.time_ms += 4 * DAY_MS
    await trimmer(world, 3).trim()
    assert await kept(world, bucket) == []
    assert (await world.bucket("bucket")).sequence == 2


@pytest.mark.parametrize("size_bytes", [1, 5_000, 40_000, 10**9])
async def test_a_log_keeps_about_its_size(world: World, size_bytes: int) -> None:
    bucket = await world.bucket("bucket")
    for number in range(30):
        await put(world, 0, key=b"x" * (1000 if number < 20 else 10))
    await trimmer(world, size_bytes=size_bytes).trim()
    sequences = await kept(world, bucket)
    assert sequences == list(range(31 - len(sequences), 31))
    large, small = max(0, len(sequences) - 10), min(10, len(sequences))
    taken_bytes = large * 2320 + small * 340
    assert taken_bytes <= size_bytes < taken_bytes + 2320 or (len(sequences) == 30 and taken_bytes <= size_bytes)


async def test_days_and_size_go_together(world: World) -> None:
    bucket = await world.bucket("bucket")
    await put(world, 9, 9, 1, 1, 1)
    await trimmer(world, 3, 700).trim()
    assert await kept(world, bucket) == [4, 5]
    await trimmer(world, 3, 10**6).trim()
    assert await kept(world, bucket) == [4, 5]


async def test_writers_and_two_trimmers_at_once_leave_every_log_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two may be at work for a moment, when one was taken for dead."""
    monkeypatch.setattr(service, "BATCH", 3)
    bucket = await world.bucket("bucket")
    await put(world, *[9] * 40)
    await asyncio.gather(
        trimmer(world, 3).trim(), trimmer(world, 3).trim(), *(world.put("bucket", b"%d" % n) for n in range(40))
    )
    assert await kept(world, bucket) == list(range(41, 81))
    assert await world.core.read(lambda reader: buckets.first_sequence(reader, bucket.id)) == 41


async def test_one_gateway_trims_for_all(world: World) -> None:
    bucket, watch = await world.bucket("bucket"), Watched()
    await put(world, 9)
    running = asyncio.create_task(Trimmer(world.stores, watch, Retention(3)).run())
    await asyncio.sleep(0.05)
    assert await kept(world, bucket) == [1]
    watch.is_eldest = True
    await eventually(lambda: _is_empty(world, bucket))
    running.cancel()


async def _is_empty(world: World, bucket: Bucket) -> bool:
    return await kept(world, bucket) == []


async def test_a_database_that_was_away_is_trimmed_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAUSE_SECONDS", 0.01)
    bucket, faulty = await world.bucket("bucket"), Faulty(world.core)
    await put(world, 9)
    running = asyncio.create_task(Trimmer(replace(world.stores, database=faulty), Alone(), Retention(3)).run())
    await eventually(lambda: faulty.refusals > 1)
    faulty.is_away = False
    await eventually(lambda: _is_empty(world, bucket))
    running.cancel()


async def test_without_an_end_nothing_is_trimmed(world: World) -> None:
    async with asyncio.timeout(10):
        await trimmer(world).run()


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 1000, 10**9])
def test_every_event_of_a_log_is_in_one_piece(count: int) -> None:
    pieces = strata(7, 6 + count)
    starts = [start for start, _ in pieces] + [7 + count]
    assert starts[0] == 7
    assert all(start <= sample < end for (start, sample), end in zip(pieces, starts[1:], strict=True)), (
        "each sample lies in its piece"
    )
    assert len(pieces) == min(64, count)


def test_samples_that_are_gone_end_what_fits() -> None:
    sizes = {sample: 100 for _, sample in strata(1, 128)}
    assert first_that_fits(1, 128, sizes, 10**9) == 1
    assert first_that_fits(1, 128, sizes, 1000) == 119
    assert first_that_fits(1, 128, sizes, 99) == 129
    del sizes[strata(1, 128)[31][1]]
    assert first_that_fits(1, 128, sizes, 10**9) == 65


async def test_activity_goes_when_it_is_too_old(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    monkeypatch.setattr(service, "BATCHES_IN_TURN", 2)
    for age_days in (9, 8, 7, 6, 5, 1):
        world.clock.time_ms -= age_days * DAY_MS
        await world.hierarchy.create_lake(ROOT, f"lake{age_days}")
        world.clock.time_ms += age_days * DAY_MS
    await world.bucket("bucket")
    await put(world, 9)
    endless = Trimmer(world.stores, Alone(), Retention(activity_days=10))
    assert await endless.trim()
    trimming = Trimmer(world.stores, Alone(), Retention(activity_days=5))
    assert not await trimming.trim(), "there is more than a turn's batches"
    assert await trimming.trim()
    subjects = [entry.done.subject for entry in (await world.activities.list(ROOT, PageRequest())).items]
    assert subjects == ["bucket", "lake1", "lake5"]
    bucket = await world.core.read(lambda reader: buckets.get(reader, "bucket"))
    assert await kept(world, bucket) == [1], "events are kept for ever here"


async def test_whoever_is_not_the_eldest_trims_no_activity(world: World) -> None:
    await world.hierarchy.create_lake(ROOT, "lake1")
    world.clock.time_ms += 2 * DAY_MS
    assert await Trimmer(world.stores, Watched(), Retention(activity_days=1)).trim()
    assert len((await world.activities.list(ROOT, PageRequest())).items) == 1
