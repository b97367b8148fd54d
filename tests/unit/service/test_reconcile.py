"""What a webhook has not acknowledged, whatever its order, and wherever it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from tests.engines import NewMetadata
from tests.unit.world import ROOT, START_MS, World, open_world

from elasticlake.errors import InvalidInput
from elasticlake.metadata import deliveries, events
from elasticlake.metadata.database import Database, Reader, Transaction
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Position
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.objects import Bucket
from elasticlake.model.rules import Filter
from elasticlake.model.webhooks import Ordering, Webhook, lane_key
from elasticlake.service import latest_wanted
from elasticlake.service.pages import PageRequest
from elasticlake.service.reconcile import Reconciling
from elasticlake.service.webhook_definitions import NewWebhook, Place

pytestmark = pytest.mark.both_engines

ENDPOINT = "https://myapp.com/"


@pytest_asyncio.fixture
async def world(tmp_path: Path, new_metadata: NewMetadata) -> AsyncIterator[World]:
    async with open_world(tmp_path, url=new_metadata()) as opened:
        yield opened


async def listening(world: World, types: tuple[str, ...] = EVENT_TYPES, **members: Any) -> tuple[Bucket, Webhook]:
    bucket = await world.bucket("bucket")
    new = NewWebhook(Place(bucket="bucket"), ENDPOINT, types, **members)
    return bucket, (await world.webhooks.create(ROOT, new))[0]


async def remember(world: World, *rows: Position | Lane | DeadDelivery) -> None:
    puts: dict[type, Any] = {
        Position: deliveries.put_position,
        Lane: deliveries.put_lane,
        DeadDelivery: deliveries.put_dead,
    }

    def mutation(tx: Any) -> None:
        for row in rows:
            puts[type(row)](tx, row)

    await world.delivery.write(mutation)


async def unacknowledged(
    world: World, webhook: Webhook, prefix: str = "", bucket: str | None = None, limit: int = 100
) -> list[tuple[bytes, int, str]]:
    """Everything listed, page after page."""
    found: list[tuple[bytes, int, str]] = []
    cursor: str | None = None
    while True:
        page = await world.reconciling.page(ROOT, webhook.id, bucket, prefix, PageRequest(cursor, limit))
        assert len(page.items) <= limit
        found += [(one.key, one.sequence, one.state) for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def lane(webhook: Webhook, bucket: Bucket, key: bytes, head: int) -> Lane:
    lane_of = lane_key(webhook.ordering, key, head)
    return Lane(webhook.id, bucket.id, lane_of, head, 1, START_MS, webhook.ordering)


def dead(webhook: Webhook, bucket: Bucket, key: bytes, sequence: int, generation: int = 0) -> DeadDelivery:
    return DeadDelivery(webhook.id, bucket.id, sequence, generation, key, 3, START_MS)


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_each_key_is_listed_once_by_its_latest_event(world: World, limit: int) -> None:
    bucket, webhook = await listening(world)
    for key in (b"ok", b"held", b"retrying", b"dead", b"mended", b"held", b"mended", b"dead again", b"pending"):
        await world.put("bucket", key)
    await world.put("bucket", b"held")
    await world.remove("bucket", b"pending")
    await remember(
        world,
        Position(webhook.id, bucket.id, 8),
        lane(webhook, bucket, b"held", 2),
        lane(webhook, bucket, b"retrying", 3),
        dead(webhook, bucket, b"dead", 4),
        dead(webhook, bucket, b"mended", 5),
        dead(webhook, bucket, b"dead again", 8),
        dead(webhook, bucket, b"ok", 1, generation=1),
    )
    assert await unacknowledged(world, webhook, limit=limit) == [
        (b"held", 10, "held"),
        (b"retrying", 3, "retrying"),
        (b"dead", 4, "dead"),
        (b"dead again", 8, "dead"),
        (b"pending", 11, "pending"),
    ]


async def test_nothing_is_listed_of_what_arrived_or_was_before_the_webhook(world: World) -> None:
    bucket = await world.bucket("bucket")
    await world.put("bucket", b"before")
    webhook = (await world.webhooks.create(ROOT, NewWebhook(Place(bucket="bucket"), ENDPOINT, EVENT_TYPES)))[0]
    assert await unacknowledged(world, webhook) == []
    await world.put("bucket", b"after")
    assert await unacknowledged(world, webhook) == [(b"after", 2, "pending")]
    await remember(world, Position(webhook.id, bucket.id, 2))
    assert await unacknowledged(world, webhook) == []


async def test_only_what_the_webhook_wants_counts(world: World) -> None:
    _, webhook = await listening(world, ("object:created",), rules={"filter": Filter(suffix=(".jpg",))})
    for key in (b"a.jpg", b"b.txt", b"a.jpg"):
        await world.put("bucket", key)
    assert await unacknowledged(world, webhook) == [(b"a.jpg", 1, "pending")]


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("bucket", [(b"a", 1, "retrying"), (b"b", 2, "held"), (b"c", 3, "held")]),
        ("none", [(b"a", 1, "retrying"), (b"c", 3, "pending")]),
    ],
)
async def test_a_parked_lane_of_each_order(
    world: World, ordering: Ordering, expected: list[tuple[bytes, int, str]]
) -> None:
    bucket, webhook = await listening(world, ordering=ordering)
    for key in (b"a", b"b", b"c"):
        await world.put("bucket", key)
    await remember(world, lane(webhook, bucket, b"a", 1), Position(webhook.id, bucket.id, 2))
    assert await unacknowledged(world, webhook) == expected


async def test_a_prefix_narrows_every_kind(world: World) -> None:
    bucket, webhook = await listening(world)
    for number, key in enumerate((b"a1", b"b1", b"a2", b"b2", b"a3", b"b3")):
        await world.put("bucket", key, b"%d" % number)
    await remember(
        world,
        Position(webhook.id, bucket.id, 4),
        lane(webhook, bucket, b"a1", 1),
        lane(webhook, bucket, b"b1", 2),
        dead(webhook, bucket, b"a2", 3),
        dead(webhook, bucket, b"b2", 4),
    )
    found = await unacknowledged(world, webhook, "b")
    assert found == [(b"b1", 2, "retrying"), (b"b2", 4, "dead"), (b"b3", 6, "pending")]


async def test_a_dead_event_that_the_log_has_lost_is_still_listed(world: World) -> None:
    bucket, webhook = await listening(world)
    await world.put("bucket", b"a")
    await world.put("bucket", b"b")
    await world.put("bucket", b"b")
    await remember(
        world,
        Position(webhook.id, bucket.id, 3),
        dead(webhook, bucket, b"a", 1),
        dead(webhook, bucket, b"b", 2),
    )
    await world.trim_log(bucket, 3)
    page = await world.reconciling.page(ROOT, webhook.id, None, "", PageRequest())
    assert [(one.key, one.sequence, one.event, one.bucket) for one in page.items] == [(b"a", 1, None, "bucket")]


async def test_a_lake_s_buckets_come_one_after_the_other(world: World) -> None:
    for name in ("lake--pond--one", "lake--pond--two", "lake--pond--three"):
        await world.bucket(name)
    webhook = (await world.webhooks.create(ROOT, NewWebhook(Place(lake="lake"), ENDPOINT, EVENT_TYPES)))[0]
    for name in ("lake--pond--three", "lake--pond--one"):
        await world.put(name, b"k1")
        await world.put(name, b"k2")
    assert [key for key, _, _ in await unacknowledged(world, webhook, limit=1)] == [b"k1", b"k2", b"k1", b"k2"]
    assert len(await unacknowledged(world, webhook, bucket="lake--pond--one")) == 2
    assert await unacknowledged(world, webhook, bucket="lake--pond--two") == []
    await world.bucket("elsewhere")
    with pytest.raises(InvalidInput, match="does not listen"):
        await unacknowledged(world, webhook, bucket="elsewhere")


class Counting:
    """The log, with a count of the rows that are read of it at once and in all."""

    def __init__(self, core: Database) -> None:
        self._core = core
        self.at_once: list[int] = []

    @property
    def rows_read(self) -> int:
        return sum(self.at_once)

    async def read(self, query: Callable[[Any], Any], *, loose: bool = False) -> Any:
        found = list[int]()
        result = await self._core.read(lambda reader: query(CountingReader(reader, found)), loose=loose)
        self.at_once.append(sum(found))
        return result


class CountingReader:
    def __init__(self, reader: Reader, found: list[int]) -> None:
        self._reader = reader
        self._found = found
        self.memo = reader.memo

    def rows(self, sql: str, parameters: Any = ()) -> list[Any]:
        rows = self._reader.rows(sql, parameters)
        self._found.append(len(rows))
        return rows

    def row(self, sql: str, parameters: Any = ()) -> Any:
        self._found.append(1)
        return self._reader.row(sql, parameters)


HOT = 3000
AT_ONCE = 100
# A page asks for the webhook, its buckets and where it begins in them.
ASIDE = 20


async def overwrite(world: World, bucket: Bucket, key: bytes, up_to: int) -> None:
    """Overwrite the object until the log has that sequence."""
    first = await world.put(bucket.name.name, key)

    def mutation(tx: Transaction) -> None:
        event = events.get(tx, bucket.id, first)
        assert event is not None
        for sequence in range(first + 1, up_to + 1):
            events.append(tx, replace(event, id=f"evt_{sequence}", sequence=sequence, type="object:updated"))
        tx.run("UPDATE buckets SET sequence = ? WHERE id = ?", (up_to, bucket.id))

    await world.core.write(mutation)


def counted(world: World) -> Counting:
    counting = Counting(world.core)
    world.reconciling = Reconciling(cast(Database, counting), world.delivery)
    return counting


async def test_a_hot_key_costs_its_events_once_and_all_else_has_its_turn_meanwhile(world: World) -> None:
    bucket, webhook = await listening(world)
    await overwrite(world, bucket, b"hot", HOT)
    counting, turns = counted(world), 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    others = asyncio.create_task(take_turns())
    page = await world.reconciling.page(ROOT, webhook.id, None, "", PageRequest())
    others.cancel()
    assert [(one.key, one.sequence, one.state) for one in page.items] == [(b"hot", HOT, "pending")]
    assert counting.rows_read <= HOT + ASIDE
    assert max(counting.at_once) <= AT_ONCE
    assert turns >= HOT // AT_ONCE


async def test_what_comes_after_the_last_that_is_wanted_is_read_in_small_pieces(world: World) -> None:
    bucket, webhook = await listening(world, ("object:created",))
    await overwrite(world, bucket, b"hot", HOT)
    counting = counted(world)
    assert await unacknowledged(world, webhook) == [(b"hot", 1, "pending")]
    assert counting.rows_read <= 2 * HOT + ASIDE
    assert max(counting.at_once) <= AT_ONCE


@pytest.mark.parametrize("ordering", ["key", "none"])
async def test_a_hot_key_that_was_given_up_or_is_parked_many_times_is_not_read_each_time(
    world: World, ordering: Ordering
) -> None:
    bucket, webhook = await listening(world, ordering=ordering)
    await overwrite(world, bucket, b"hot", HOT)
    in_vain = range(1, HOT, 3)
    rows: list[Lane | DeadDelivery] = [dead(webhook, bucket, b"hot", sequence) for sequence in in_vain]
    if ordering == "none":
        rows = [lane(webhook, bucket, b"hot", sequence) for sequence in in_vain]
    await remember(world, Position(webhook.id, bucket.id, HOT - 1), *rows)
    counting = counted(world)
    assert await unacknowledged(world, webhook, limit=1000) == [(b"hot", HOT, "pending")]
    assert counting.rows_read <= 2 * len(rows)
    assert max(counting.at_once) <= AT_ONCE


@pytest.mark.parametrize("stage", ["lanes", "dead", "log"])
async def test_a_request_ends_early_where_keys_have_much_behind_them(
    world: World, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setattr(latest_wanted, "ENOUGH_ROWS", 200)
    bucket, webhook = await listening(world, ("object:created",))
    keys = [b"a", b"b", b"c"]
    for key in keys:
        await world.put("bucket", key)
    for end, key in zip((200, 400, 600), keys, strict=True):
        await overwrite(world, bucket, key, end)
    if stage != "log":
        make = lane if stage == "lanes" else dead
        rows = [make(webhook, bucket, key, sequence) for sequence, key in enumerate(keys, start=1)]
        await remember(world, Position(webhook.id, bucket.id, 600), *rows)
    found, read = list[bytes](), list[int]()
    cursor: str | None = None
    while True:
        counting = counted(world)
        page = await world.reconciling.page(ROOT, webhook.id, None, "", PageRequest(cursor))
        found += [one.key for one in page.items]
        read.append(counting.rows_read)
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(read) < 10, "the list does not go on"
    assert found == keys
    assert len(read) > 1
    # What is begun is ended: at most one batch of the log, and one key's events.
    assert max(read) <= 200 + 600 + 200 + ASIDE
