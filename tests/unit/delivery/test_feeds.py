"""Feeds as they open, read on, and find what a lane left behind."""

from dataclasses import replace

import pytest
from tests.unit.delivery.dispatching import Receiver, listen, owning_ledger
from tests.unit.world import ROOT, START_MS, World

from elasticlake.delivery.feed import WINDOW, Feed
from elasticlake.delivery.feeds import READ_EVENTS, Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.metadata import deliveries, webhooks
from elasticlake.metadata.deliveries import Lane, Position
from elasticlake.model.objects import Bucket
from elasticlake.model.webhooks import Ordering, Webhook
from elasticlake.service.webhook_definitions import Place, WebhookChange


async def begin(world: World, receiver: Receiver, ordering: Ordering = "key") -> tuple[Webhook, Bucket]:
    bucket = await world.bucket("bucket")
    return await listen(world, receiver, ordering=ordering), bucket


async def put_many(world: World, *keys: bytes) -> None:
    for number, key in enumerate(keys):
        await world.put("bucket", key, b"%d" % number)


async def store(world: World, position: Position, *lanes: Lane) -> None:
    def mutation(tx: object) -> None:
        deliveries.put_position(tx, position)  # type: ignore[arg-type]
        for lane in lanes:
            deliveries.put_lane(tx, lane)  # type: ignore[arg-type]

    await world.delivery.write(mutation)


async def open_feeds(world: World) -> tuple[Feeds, Ledger]:
    every = await world.core.read(webhooks.ids)
    ledger = await owning_ledger(world, webhook_ids=tuple(every))
    return Feeds(world.core, world.delivery, ledger), ledger


async def test_a_new_webhook_begins_where_its_bucket_is(world: World, receiver: Receiver) -> None:
    bucket = await world.bucket("bucket")
    await put_many(world, b"a", b"b")
    webhook = await listen(world, receiver)
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert feed.position == 2
    await put_many(world, b"c")
    assert await feeds.read_on(feed, 3)
    assert [event.sequence for event in feed.ready] == [3]
    assert not await feeds.read_on(feed, 3)
    assert await feeds.open(webhook, bucket.id) is feed


@pytest.mark.both_engines
async def test_what_retention_took_first_is_counted_as_expired(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a", b"b", b"c")
    await world.trim_log(bucket, 3)
    feeds, ledger = await open_feeds(world)
    told: list[int] = []
    feeds.on_expired = told.append
    feed = await feeds.open(webhook, bucket.id)
    assert await feeds.read_on(feed, 3)
    assert [event.sequence for event in feed.ready] == [3]
    assert (feed.position, feed.counts["expired"], told) == (2, 2, [2])
    await ledger.flush()
    stored = await world.delivery.read(lambda reader: deliveries.get_position(reader, webhook.id, bucket.id))
    assert stored == Position(webhook.id, bucket.id, 2, expired=2)


@pytest.mark.both_engines
async def test_a_webhook_that_waited_too_long_goes_on_with_what_is_kept(
    world: World, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, *(b"%d" % number for number in range(6)))
    lane = Lane(webhook.id, bucket.id, b"2", 3, 1, START_MS)
    await store(world, Position(webhook.id, bucket.id, 1, delivered=1), lane)
    await world.trim_log(bucket, 5)
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert await feeds.read_on(feed, 6)
    # Three events are gone, of which the lane's head is counted when the lane ends.
    assert (feed.position, feed.counts["expired"], feed.counts["delivered"]) == (4, 2, 1)
    assert [event.sequence for event in feed.ready] == [5, 6]
    assert "events expired before they were delivered" in "".join(capsys.readouterr())


async def test_a_log_that_is_all_gone_is_passed(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a", b"b")
    await world.trim_log(bucket, 3)
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert await feeds.read_on(feed, 2)
    assert (feed.is_drained(2), feed.counts["expired"]) == (True, 2)
    assert not await feeds.read_on(feed, 2)


async def test_a_head_that_is_not_seen_yet_is_not_expired(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a")
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert await feeds.read_on(feed, 1)
    assert not await feeds.read_on(feed, 9)
    assert (feed.read_up_to, feed.counts["expired"]) == (1, 0)


async def test_an_attempt_under_way_outlives_what_retention_takes(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a")
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    await feeds.read_on(feed, 1)
    await put_many(world, b"b", b"c")
    await world.trim_log(bucket, 3)
    assert await feeds.read_on(feed, 3)
    assert (feed.position, feed.counts["expired"]) == (0, 0)
    feed.settle(feed.ready[0], "delivered")
    assert (feed.position, feed.counts["expired"]) == (2, 1)
    feed.settle(feed.ready[1], "delivered")
    assert (feed.position, feed.counts["delivered"]) == (3, 2)


@pytest.mark.both_engines
async def test_what_expired_behind_something_unsettled_is_counted_once_however_often_it_is_found(
    world: World, receiver: Receiver
) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a")
    feeds, ledger = await open_feeds(world)
    told: list[int] = []
    feeds.on_expired = told.append
    feed = await feeds.open(webhook, bucket.id)
    await feeds.read_on(feed, 1)
    await put_many(world, *(b"%d" % number for number in range(9)))
    await world.trim_log(bucket, 9)
    assert await feeds.read_on(feed, 10)
    # What is gone is one of the window's entries, however much it is.
    assert (feed.position, feeds.budget.used, told) == (0, 4, [])
    await ledger.flush()
    feeds.close(feed)
    again = await feeds.open(webhook, bucket.id)
    assert await feeds.read_on(again, 10)
    assert [event.sequence for event in again.ready] == [9, 10]
    assert (again.position, again.counts["expired"], told, feeds.budget.used) == (8, 8, [8], 2)
    await ledger.flush()
    stored = await world.delivery.read(lambda reader: deliveries.get_position(reader, webhook.id, bucket.id))
    assert stored == Position(webhook.id, bucket.id, 8, expired=8)


@pytest.mark.both_engines
async def test_with_bucket_order_what_is_gone_behind_a_head_is_counted(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver, "bucket")
    await put_many(world, *(b"%d" % number for number in range(8)))
    feeds, _ = await open_feeds(world)
    told: list[int] = []
    feeds.on_expired = told.append
    feed = await feeds.open(webhook, bucket.id)
    await feeds.read_on(feed, 5)
    lane = feed.park(feed.ready.popleft(), 1, START_MS)
    assert (await feeds.following(feed, lane)).expired == 0
    await world.trim_log(bucket, 4)
    following = await feeds.following(feed, lane)
    assert following.event is not None
    assert (following.event.sequence, following.expired) == (4, 2)
    feed.advance_lane(lane, "expired", following, START_MS)
    assert (lane.head_sequence, feed.counts["expired"], sum(told)) == (4, 3, 3)
    await world.trim_log(bucket, 9)
    # All that was read is gone, and the whole log.
    following = await feeds.following(feed, lane)
    assert (following.event, following.expired) == (None, feed.read_up_to - 4)
    feed.advance_lane(lane, "expired", following, START_MS)
    await feeds.read_on(feed, 8)
    assert (feed.lanes, feed.position, feed.counts["expired"], sum(told)) == ({}, 8, 8, 8)


@pytest.mark.both_engines
async def test_a_changed_order_does_not_go_back_to_what_is_gone(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, *(b"%d" % number for number in range(6)))
    position = Position(webhook.id, bucket.id, 5, delivered=1, expired=2)
    await store(world, position, *(Lane(webhook.id, bucket.id, b"%d" % n, n, 1, START_MS) for n in (1, 5)))
    await world.trim_log(bucket, 4)
    strict = await world.webhooks.change(ROOT, webhook.id, WebhookChange(ordering="bucket"))
    feeds, _ = await open_feeds(world)
    told: list[int] = []
    feeds.on_expired = told.append
    feed = await feeds.open(strict, bucket.id)
    assert feed.snapshot() == Position(webhook.id, bucket.id, 3, delivered=1, expired=3)
    assert told == [1]
    await feeds.read_on(feed, 6)
    assert [event.sequence for event in feed.ready] == [4]
    assert feed.counts["expired"] == 3


@pytest.mark.both_engines
async def test_what_was_before_a_name_came_again_does_not_expire(world: World, receiver: Receiver) -> None:
    await world.bucket("lake--pond--again")
    webhook = await listen(world, receiver, place=Place(lake="lake"), events=("object:created",))
    await world.put("lake--pond--again", b"a")
    await world.remove("lake--pond--again", b"a")
    await world.buckets.delete(world.request(), "lake--pond--again")
    bucket = await world.bucket("lake--pond--again")
    for key in (b"c", b"d"):
        await world.put("lake--pond--again", key)
    await world.trim_log(bucket, 4)
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert feed.position == 2
    await feeds.read_on(feed, 4)
    assert ([event.sequence for event in feed.ready], feed.counts["expired"]) == ([4], 1)


async def test_it_goes_on_from_what_was_stored(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a", b"b", b"a", b"c")
    lane = Lane(webhook.id, bucket.id, b"a", 1, 4, START_MS + 5)
    await store(world, Position(webhook.id, bucket.id, 2, delivered=1), lane)
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert (feed.position, feed.counts["delivered"]) == (2, 1)
    assert (feed.lanes[b"a"].attempts, feed.lanes[b"a"].next_attempt_at_ms) == (4, START_MS + 5)
    await feeds.read_on(feed, 4)
    assert [event.sequence for event in feed.ready] == [4]
    head = await feeds.head_of(feed, feed.lanes[b"a"])
    following = (await feeds.following(feed, feed.lanes[b"a"])).event
    assert head is not None
    assert following is not None
    assert (head.sequence, following.sequence) == (1, 3)


async def test_a_changed_order_goes_back_to_its_lanes_and_a_crash_then_loses_nothing(
    world: World, receiver: Receiver
) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a", b"b", b"c")
    await store(world, Position(webhook.id, bucket.id, 3), Lane(webhook.id, bucket.id, b"b", 2, 1, START_MS))
    strict = await world.webhooks.change(ROOT, webhook.id, WebhookChange(ordering="bucket"))
    feeds, ledger = await open_feeds(world)
    feed = await feeds.open(strict, bucket.id)
    assert (feed.position, feed.lanes) == (1, {})
    # Whatever is stored from here on and survives: the event that the lane held is still ahead.
    await ledger.flush()
    again = await (await open_feeds(world))[0].open(strict, bucket.id)
    assert (again.position, again.lanes) == (1, {})


async def test_resuming_from_now_cancels_what_waited(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a", b"b", b"c", b"d")
    await store(world, Position(webhook.id, bucket.id, 2), Lane(webhook.id, bucket.id, b"a", 1, 1, START_MS))
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    resumed = await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="enabled", resume="now"))
    feeds, ledger = await open_feeds(world)
    feed = await feeds.open(resumed, bucket.id)
    assert (feed.position, feed.lanes, feed.counts["canceled"]) == (4, {}, 3)
    await ledger.flush()
    stored = await world.delivery.read(lambda reader: deliveries.get_position(reader, webhook.id, bucket.id))
    assert stored == Position(webhook.id, bucket.id, 4, canceled=3)
    assert await world.delivery.read(lambda reader: deliveries.lanes(reader, webhook.id)) == []


async def test_the_window_is_bounded(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, *(b"%d" % number for number in range(3 * READ_EVENTS)))
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    while await feeds.read_on(feed, 3 * READ_EVENTS):
        pass
    assert READ_EVENTS <= feeds.budget.used == len(feed.ready) <= WINDOW
    feeds.close(feed)
    assert feeds.budget.used == 0
    assert feeds.get((webhook.id, bucket.id)) is None


async def test_events_that_nobody_asked_for_move_the_position_alone(world: World, receiver: Receiver) -> None:
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver, events=("object:deleted",))
    await put_many(world, b"a", b"b")
    feeds, ledger = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert await feeds.read_on(feed, 2)
    assert (feed.position, list(feed.ready)) == (2, [])
    assert ledger.is_unwritten(feed)


@pytest.mark.parametrize(("ordering", "expected"), [("key", 3), ("bucket", 2), ("none", None)])
async def test_what_follows_a_lanes_head(
    world: World, receiver: Receiver, ordering: Ordering, expected: int | None
) -> None:
    webhook, bucket = await begin(world, receiver, ordering)
    await put_many(world, b"a", b"b", b"a")
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    await feeds.read_on(feed, 3)
    lane = feed.park(feed.ready[0], 1, START_MS)
    found = (await feeds.following(feed, lane)).event
    assert (found.sequence if found else None) == expected


async def test_what_follows_is_wanted_and_was_passed(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a", b"a")
    await world.remove("bucket", b"a")
    await put_many(world, b"a")
    wanted = replace(webhook, events=("object:created",))
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(wanted, bucket.id)
    await feeds.read_on(feed, 4)
    lane = feed.park(feed.ready[0], 1, START_MS)
    found = (await feeds.following(feed, lane)).event
    assert found is not None
    assert found.sequence == 4
    unread = Feed.resume(Position(webhook.id, bucket.id, 3), [], "key", feed.selection, feeds.budget)
    assert (await feeds.following(unread, lane)).event is None


async def test_a_head_that_retention_took(world: World, receiver: Receiver) -> None:
    webhook, bucket = await begin(world, receiver)
    await put_many(world, b"a", b"b")
    await store(world, Position(webhook.id, bucket.id, 2), Lane(webhook.id, bucket.id, b"a", 1, 1, START_MS))
    await world.trim_log(bucket, 2)
    feeds, _ = await open_feeds(world)
    feed = await feeds.open(webhook, bucket.id)
    assert await feeds.head_of(feed, feed.lanes[b"a"]) is None
