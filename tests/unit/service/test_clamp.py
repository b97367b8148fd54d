"""Nothing that deliveries remember lies beyond the log after a start."""

from __future__ import annotations

from tests.unit.world import ROOT, START_MS, World, attempt

from elasticlake.metadata import deliveries as rows
from elasticlake.metadata import operational_events
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Position, RequestedDelivery
from elasticlake.model.ids import NO_BUCKET, DeliveryId
from elasticlake.service.clamp import Clamped, clamp_positions
from elasticlake.service.webhook_definitions import NewWebhook, Place

HOOK = "whk_1"
NEVER_MADE = 77


def remember(tx: Transaction, bucket_id: int, sequence: int) -> None:
    """A position, a lane's head, a dead delivery, a dead redelivery and a waiting redelivery at that sequence."""
    rows.put_position(tx, Position(HOOK, bucket_id, sequence, delivered=3, dead=1))
    rows.put_lane(tx, Lane(HOOK, bucket_id, b"%d" % sequence, sequence, 2, START_MS))
    rows.put_dead(tx, DeadDelivery(HOOK, bucket_id, sequence, 0, b"key", 3, START_MS))
    rows.put_dead(tx, DeadDelivery(HOOK, bucket_id, sequence, 1, b"key", 3, START_MS))
    rows.put_requested(tx, RequestedDelivery(HOOK, bucket_id, sequence, 1, "dead", 3, START_MS, None))
    rows.put_requested(tx, RequestedDelivery(HOOK, bucket_id, sequence, 2, "retrying", 3, START_MS, START_MS))


async def put(world: World, name: str, count: int) -> int:
    """A bucket with so many events; its id."""
    bucket = await world.bucket(name)
    for number in range(count):
        await world.put(name, b"%d" % number)
    return bucket.id


async def dead_sequences(world: World) -> list[tuple[int, int]]:
    found = await world.delivery.read(lambda reader: rows.list_dead(reader, HOOK, (0, 0, -1), 100))
    return [(dead.bucket_id, dead.sequence) for dead in found]


async def waiting(world: World) -> list[tuple[int, int]]:
    """The requested deliveries that wait for an attempt."""
    found = await world.delivery.read(lambda reader: rows.list_requested(reader, HOOK, "retrying", (0, 0, -1), 100))
    return [(one.bucket_id, one.sequence) for one in found if one.next_attempt_at_ms is not None]


async def test_what_lies_within_the_log_stays(world: World) -> None:
    bucket_id = await put(world, "bucket", 3)
    await world.delivery.write(lambda tx: remember(tx, bucket_id, 3))
    assert await clamp_positions(world.core, world.delivery) == []
    assert await world.delivery.read(lambda reader: rows.positions(reader, HOOK)) == [
        Position(HOOK, bucket_id, 3, delivered=3, dead=1)
    ]
    assert len(await world.delivery.read(lambda reader: rows.lanes(reader, HOOK))) == 1
    assert await dead_sequences(world) == [(bucket_id, 3)] * 2
    assert await waiting(world) == [(bucket_id, 3)]


async def test_what_is_told_of_webhooks_is_in_no_log_and_stays(world: World) -> None:
    def told(tx: Transaction) -> None:
        operational_events.announce(tx, "evt_1", "root", "webhook:disabled", {}, [HOOK], START_MS)
        rows.put_dead(tx, DeadDelivery(HOOK, NO_BUCKET, 1, 1, b"", 3, START_MS))

    await world.delivery.write(told)
    assert await clamp_positions(world.core, world.delivery) == []
    assert await dead_sequences(world) == [(NO_BUCKET, 1)]
    waits = await world.delivery.read(lambda reader: rows.get_requested(reader, HOOK, NO_BUCKET, 1, 1))
    assert waits is not None
    assert (waits.status, waits.next_attempt_at_ms) == ("pending", START_MS)


async def test_what_lies_beyond_goes_and_is_reported_once(world: World) -> None:
    shorter, same = await put(world, "shorter", 2), await put(world, "same", 5)

    def earlier(tx: Transaction) -> None:
        for bucket_id, sequence in ((shorter, 2), (shorter, 5), (same, 5), (NEVER_MADE, 4)):
            remember(tx, bucket_id, sequence)

    await world.delivery.write(earlier)
    clamped = await clamp_positions(world.core, world.delivery)
    assert sorted(clamped, key=lambda one: one.bucket_id) == [
        Clamped(HOOK, shorter, 5, 2, lanes=1, dead=2, requested=1),
        Clamped(HOOK, NEVER_MADE, 4, 0, lanes=1, dead=2, requested=1),
    ]
    positions = await world.delivery.read(lambda reader: rows.positions(reader, HOOK))
    assert sorted((one.bucket_id, one.sequence, one.delivered) for one in positions) == [
        (shorter, 2, 3), (same, 5, 3), (NEVER_MADE, 0, 3),
    ]  # fmt: skip
    lanes = await world.delivery.read(lambda reader: rows.lanes(reader, HOOK))
    assert sorted((lane.bucket_id, lane.head_sequence) for lane in lanes) == [(shorter, 2), (same, 5)]
    assert await dead_sequences(world) == [(shorter, 2)] * 2 + [(same, 5)] * 2
    assert await waiting(world) == [(shorter, 2), (same, 5)]
    # Its row stays: the next redelivery of that sequence has an id of its own.
    assert await world.delivery.read(lambda reader: rows.next_generation(reader, HOOK, shorter, 5)) == 3
    assert await clamp_positions(world.core, world.delivery) == []


async def test_a_parked_lane_alone_is_found(world: World) -> None:
    bucket_id = await put(world, "bucket", 1)
    lane = Lane(HOOK, bucket_id, b"key", 9, 2, START_MS)
    await world.delivery.write(lambda tx: rows.put_lane(tx, lane))
    assert await clamp_positions(world.core, world.delivery) == [Clamped(HOOK, bucket_id, 9, 1, 1, 0, 0)]


async def test_an_attempt_for_the_event_that_had_the_sequence_before_tells_nothing_of_the_new_one(world: World) -> None:
    bucket = await world.bucket("bucket")
    new = NewWebhook(Place(bucket="bucket"), "https://myapp.com/hook", ("object:created",), secret="s")
    webhook, _ = await world.webhooks.create(ROOT, new)
    world.record(attempt(webhook.id, bucket.id, 1))
    await world.put("bucket", b"new")
    delivery_id = str(DeliveryId(webhook.id, bucket.id, 1))
    log = await world.deliveries.get(ROOT, delivery_id)
    assert (log.delivery.status, log.delivery.attempts, log.attempts) == ("pending", 0, [])
