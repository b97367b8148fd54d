"""A dispatcher at work on logs that retention trims."""

from __future__ import annotations

import pytest
from tests.unit.delivery.dispatching import Receiver, dispatching, eventually, listen
from tests.unit.world import START_MS, Alone, World

from elasticlake.metadata import deliveries
from elasticlake.metadata.deliveries import Lane, Position
from elasticlake.service.metrics import Metrics
from elasticlake.service.trimmer import Retention, Trimmer

pytestmark = pytest.mark.both_engines


def expired(metrics: Metrics) -> float:
    return metrics.snapshot()["elasticlake_deliveries_expired_total"][()][0]


async def position(world: World, webhook_id: str, bucket_id: int) -> Position | None:
    return await world.delivery.read(lambda reader: deliveries.get_position(reader, webhook_id, bucket_id))


async def test_a_lane_whose_head_is_gone_ends_as_expired_and_its_next_event_is_sent(
    world: World, receiver: Receiver
) -> None:
    bucket, metrics = await world.bucket("bucket"), Metrics()
    webhook = await listen(world, receiver)
    for _ in range(3):
        await world.put("bucket", b"a")
    lane = Lane(webhook.id, bucket.id, b"a", 1, 1, START_MS, "key")
    await world.delivery.write(lambda tx: deliveries.put_position(tx, Position(webhook.id, bucket.id, 3)))
    await world.delivery.write(lambda tx: deliveries.put_lane(tx, lane))
    await world.trim_log(bucket, 3)
    async with dispatching(world, metrics=metrics):
        await eventually(lambda: receiver.sequences == [3])
        await eventually(lambda: expired(metrics) == 1)
    assert await position(world, webhook.id, bucket.id) == Position(webhook.id, bucket.id, 3, delivered=1, expired=1)


async def test_with_bucket_order_all_that_is_gone_is_counted_and_the_rest_is_sent(
    world: World, receiver: Receiver
) -> None:
    bucket, metrics = await world.bucket("bucket"), Metrics()
    webhook = await listen(world, receiver, ordering="bucket")
    for number in range(6):
        await world.put("bucket", b"%d" % number)
    lane = Lane(webhook.id, bucket.id, b"", 1, 1, START_MS, "bucket")
    await world.delivery.write(lambda tx: deliveries.put_position(tx, Position(webhook.id, bucket.id, 5)))
    await world.delivery.write(lambda tx: deliveries.put_lane(tx, lane))
    await world.trim_log(bucket, 5)
    async with dispatching(world, metrics=metrics):
        await eventually(lambda: receiver.sequences == [5, 6])
        await eventually(lambda: expired(metrics) == 4)
    assert await position(world, webhook.id, bucket.id) == Position(webhook.id, bucket.id, 6, delivered=2, expired=4)


async def test_a_webhook_of_a_deleted_bucket_ends_when_its_log_is_gone(world: World, receiver: Receiver) -> None:
    bucket, metrics = await world.bucket("bucket"), Metrics()
    webhook = await listen(world, receiver)
    await world.put("bucket", b"a")
    await world.remove("bucket", b"a")
    await world.buckets.delete(world.request(), "bucket")
    world.clock.time_ms += 31 * 86_400_000
    await Trimmer(world.stores, Alone(), Retention(30)).trim()
    async with dispatching(world, metrics=metrics) as at_work:
        await eventually(lambda: at_work.disabled == [(webhook.id, "bucketDeleted")])
    assert (receiver.events, expired(metrics)) == ([], 2)
    assert await position(world, webhook.id, bucket.id) == Position(webhook.id, bucket.id, 2, expired=2)
