"""How far behind webhooks are, and what is under way."""

from __future__ import annotations

import random

from tests.unit.delivery.dispatching import Owner, Receiver, dispatching, eventually, listen
from tests.unit.world import KEY, ROOT, World

from elasticlake.delivery.breaker import TRIPS_AFTER
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.pace import Paces
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.standing import Standing
from elasticlake.metadata import buckets
from elasticlake.model.webhooks import Webhook
from elasticlake.service.metrics import Metrics
from elasticlake.service.webhook_definitions import WebhookChange


class Stood:
    """Feeds over the world's stores that nobody drives, and what is measured of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.metrics = Metrics()
        self.head = 0
        self.roster = Roster(KEY.decrypt)
        self.paces = Paces(random.Random(1))
        self.feeds = Feeds(world.core, world.delivery, Ledger(world.delivery, None, Owner()))
        self.standing = Standing(
            world.core, self.feeds, self.roster, self.paces, lambda: 7, lambda _: self.head, world.clock, self.metrics
        )

    async def measured(self, name: str) -> dict[tuple[str | int, ...], float]:
        await self.world.core.read(self.roster.refresh)
        await self.standing.measure()
        series = self.metrics.snapshot()[f"elasticlake_{name}"]
        return {labels: values[0] for labels, values in series.items()}

    async def put(self, *ages_seconds: int) -> None:
        """Events of one key each, made that long ago."""
        now_ms = self.world.clock.time_ms
        for age_seconds in ages_seconds:
            self.world.clock.time_ms = now_ms - age_seconds * 1000
            self.head = await self.world.put("bucket", b"key%d" % age_seconds)
        self.world.clock.time_ms = now_ms


async def listening(world: World, receiver: Receiver) -> tuple[Webhook, Stood]:
    await world.bucket("bucket")
    return await listen(world, receiver), Stood(world)


async def bucket_id(world: World) -> int:
    return await world.core.read(lambda reader: buckets.get(reader, "bucket").id)


async def test_the_age_is_that_of_the_first_event_which_has_not_arrived(world: World, receiver: Receiver) -> None:
    webhook, stood = await listening(world, receiver)
    await stood.put(90, 60, 30)
    feed = await stood.feeds.open(webhook, await bucket_id(world))
    assert await stood.measured("oldest_undelivered_seconds") == {(): 90}
    await stood.feeds.read_on(feed, stood.head)
    first, second = feed.ready[0], feed.ready[1]
    feed.settle(first, "delivered")
    assert await stood.measured("oldest_undelivered_seconds") == {(): 60}
    feed.park(second, 1, world.clock.time_ms)
    feed.settle(feed.ready[2], "delivered")
    assert feed.position == 3
    assert await stood.measured("oldest_undelivered_seconds") == {(): 60}
    assert await stood.measured("webhook_oldest_undelivered_seconds") == {(webhook.id,): 60}
    assert await stood.measured("lanes_parked") == {(): 1}
    assert await stood.measured("deliveries_in_flight") == {(): 7}


async def test_the_backlog_is_what_lies_beyond_the_position(world: World, receiver: Receiver) -> None:
    webhook, stood = await listening(world, receiver)
    await stood.put(90, 60, 30)
    feed = await stood.feeds.open(webhook, await bucket_id(world))
    await stood.feeds.read_on(feed, stood.head)
    assert await stood.measured("webhook_backlog_events") == {(webhook.id,): 3}
    feed.settle(feed.ready[0], "delivered")
    assert await stood.measured("webhook_backlog_events") == {(webhook.id,): 2}
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    assert await stood.measured("webhook_backlog_events") == {}


async def test_a_webhook_that_has_all_is_not_behind(world: World, receiver: Receiver) -> None:
    webhook, stood = await listening(world, receiver)
    await stood.put(90)
    feed = await stood.feeds.open(webhook, await bucket_id(world))
    await stood.feeds.read_on(feed, stood.head)
    feed.settle(feed.ready[0], "delivered")
    assert await stood.measured("oldest_undelivered_seconds") == {(): 0}
    assert await stood.measured("webhook_oldest_undelivered_seconds") == {}
    assert await stood.measured("webhook_backlog_events") == {}


async def test_a_disabled_webhook_is_counted_and_not_called_late(world: World, receiver: Receiver) -> None:
    webhook, stood = await listening(world, receiver)
    await stood.put(90)
    await stood.feeds.open(webhook, await bucket_id(world))
    assert await stood.measured("webhooks") == {("enabled",): 1}
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    assert await stood.measured("webhooks") == {("disabled",): 1}
    assert await stood.measured("oldest_undelivered_seconds") == {(): 0}


async def test_events_that_retention_took_are_not_waited_for(world: World, receiver: Receiver) -> None:
    webhook, stood = await listening(world, receiver)
    await stood.put(90, 60)
    feed = await stood.feeds.open(webhook, await bucket_id(world))
    await stood.feeds.read_on(feed, stood.head)
    await world.trim_log(await world.core.read(lambda reader: buckets.get(reader, "bucket")), 2)
    assert await stood.measured("oldest_undelivered_seconds") == {(): 60}
    await world.trim_log(await world.core.read(lambda reader: buckets.get(reader, "bucket")), 3)
    assert await stood.measured("oldest_undelivered_seconds") == {(): 0}


async def test_a_dispatcher_counts_its_attempts(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    metrics = Metrics()
    async with dispatching(world, metrics=metrics):
        await listen(world, receiver, retry_schedule_seconds=(0.1,))
        await world.put("bucket", b"key")
        attempts = metrics.snapshot
        await eventually(lambda: attempts()["elasticlake_delivery_attempts_total"]["delivered",] == [1])
    assert metrics.snapshot()["elasticlake_delivery_attempts_total"]["retrying",] == [1]


async def test_open_breakers_are_told(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    webhook = await listen(world, receiver)
    stood = Stood(world)
    pace = stood.paces.of(webhook)
    for _ in range(TRIPS_AFTER):
        pace.begin(0, 0.0).failed(0.0, None)
    assert await stood.measured("breakers_open") == {(): 1}
    assert await stood.measured("webhook_breaker_open") == {(webhook.id,): 1}
    pace.succeeded()
    assert await stood.measured("breakers_open") == {(): 0}
    assert await stood.measured("webhook_breaker_open") == {}
