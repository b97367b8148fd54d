"""Backfills at work: what is told of objects that exist, and that it never overtakes what the log tells."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.delivery.dispatching import Dispatching, GatedReceiver, Receiver, eventually, listen, receiving_as
from tests.unit.delivery.job_world import ended, heard, make, settled
from tests.unit.world import ROOT, World

from elasticlake.metadata import buckets, deliveries, jobs
from elasticlake.model.ids import DeliveryId
from elasticlake.model.jobs import JobParameters
from elasticlake.model.rules import Filter
from elasticlake.model.webhooks import Ordering


async def test_each_object_is_told_of_once_as_it_is(world: World, receiver: Receiver, running: Dispatching) -> None:
    bucket = await world.bucket("bucket")
    for key in (b"in/a", b"in/b", b"out/c", b"in/gone"):
        await world.put("bucket", key, b"old")
    await world.put("bucket", b"in/a", b"newest")
    await world.remove("bucket", b"in/gone")
    # Past the log's retention.
    await world.trim_log(bucket, 7)
    webhook = await listen(world, receiver)
    others = await listen(world, receiver)
    count = await world.jobs.count(ROOT, webhook.id, "backfill", JobParameters(prefix="in/"))
    job = await ended(world, running, await make(world, webhook, "backfill", prefix="in/"))
    assert (job.status, job.tally.delivered, count.matched) == ("completed", 2, 2)
    told = {event["object"]["key"]: event for event in receiver.events}
    assert sorted(told) == ["in/a", "in/b"]
    assert {key: (event["sequence"], event["object"]["size"]) for key, event in told.items()} == {
        "in/a": (5, 6),
        "in/b": (2, 3),
    }
    assert all(event["backfill"] is True and event["event"] == "object:created" for event in receiver.events)
    assert all(others.id not in headers["x-elasticlake-delivery"] for headers in receiver.headers)
    assert len(receiver.events) == 2
    now = await world.core.read(lambda reader: buckets.get(reader, "bucket"))
    assert now.sequence == 6, "a backfill is not logged"


async def test_only_the_filter_applies_and_the_whole_bucket_has_a_total(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    webhook = await listen(
        world, receiver, events=("object:deleted",), rules={"filter": Filter(suffix=(".jpg",), min_size=2)}
    )
    for key, body in ((b"a.jpg", b"12"), (b"b.jpg", b"1"), (b"c.txt", b"12")):
        await world.put("bucket", key, body)
    job = await ended(world, running, await make(world, webhook, "backfill"))
    assert [event["object"]["key"] for event in receiver.events] == ["a.jpg"]
    assert (job.total, job.tally.scanned, job.tally.matched, job.tally.delivered) == (3, 3, 1, 1)


@pytest.mark.parametrize("ordering", ["key", "bucket"])
async def test_a_live_event_waits_for_its_keys_backfill(world: World, running: Dispatching, ordering: Ordering) -> None:
    async with receiving_as(GatedReceiver()) as receiver:
        receiver.gate.set()
        webhook = await heard(world, receiver, running, 1, ordering=ordering)
        receiver.gate.clear()
        job = await make(world, webhook, "backfill")
        running.dispatcher.wake({})
        await eventually(lambda: receiver.events)
        await world.put("bucket", b"a", b"newer")
        running.dispatcher.wake({})
        await asyncio.sleep(0.4)
        assert [event.get("backfill", False) for event in receiver.events] == [True]
        receiver.gate.set()
        await settled(world, webhook, 2)
        assert [(event.get("backfill", False), event["sequence"]) for event in receiver.events] == [
            (True, 1),
            (False, 2),
        ]
        assert (await ended(world, running, job)).tally.delivered == 1


async def test_other_keys_do_not_wait_for_a_backfill(world: World, running: Dispatching) -> None:
    async with receiving_as(GatedReceiver()) as receiver:
        receiver.gate.set()
        webhook = await heard(world, receiver, running, 1)
        receiver.gate.clear()
        await make(world, webhook, "backfill")
        running.dispatcher.wake({})
        await eventually(lambda: receiver.events)
        await world.put("bucket", b"other")
        running.dispatcher.wake({})
        await eventually(lambda: 2 in receiver.sequences)


async def test_what_the_log_is_going_to_tell_is_not_backfilled(world: World, running: Dispatching) -> None:
    """Key a's newer event is on its way, key b's has not been read yet or waits: both are skipped, key c is told of."""
    async with receiving_as(GatedReceiver()) as receiver:
        receiver.gate.set()
        webhook = await heard(world, receiver, running, 3)
        receiver.gate.clear()
        await world.put("bucket", b"a", b"newer")
        running.dispatcher.wake({})
        await eventually(lambda: 4 in receiver.sequences)
        await world.put("bucket", b"a", b"newest")
        job = await make(world, webhook, "backfill")
        running.dispatcher.wake({})
        await eventually(lambda: len(receiver.events) == 3)
        receiver.gate.set()
        job = await ended(world, running, job)
        await settled(world, webhook, 5)
    assert (job.tally.delivered, job.tally.skipped) == (2, 1)
    assert [event["sequence"] for event in receiver.events if event["object"]["key"] == "a"] == [4, 5]
    assert {event["object"]["key"] for event in receiver.events if event.get("backfill")} == {"b", "c"}


async def test_an_object_whose_key_fails_is_left_to_its_lane(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=(3600.0,))
    await world.put("bucket", b"a")
    running.dispatcher.wake({})
    await eventually(lambda: world.delivery.read(lambda reader: deliveries.lanes(reader, webhook.id)))
    job = await ended(world, running, await make(world, webhook, "backfill"))
    assert (job.tally.skipped, job.tally.delivered, receiver.sequences) == (1, 0, [1])


async def test_what_the_webhook_does_not_listen_to_is_told_all_the_same(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    """The object's latest event is none of the webhook's types, so the log will not tell of it, read or not."""
    await world.bucket("bucket")
    webhook = await listen(world, receiver, events=("object:deleted",))
    for number in range(3):
        await world.put("bucket", b"a", b"%d" % number)
    job = await ended(world, running, await make(world, webhook, "backfill"))
    assert (job.tally.delivered, receiver.sequences) == (1, [3])


async def test_an_object_that_goes_meanwhile_is_skipped(world: World, receiver: Receiver, running: Dispatching) -> None:
    webhook = await heard(world, receiver, running, 3, events=("object:created",))
    job = await make(world, webhook, "backfill", rate_limit=1.0)
    running.dispatcher.wake({})
    await eventually(lambda: receiver.events)
    await world.remove("bucket", b"c")
    job = await ended(world, running, job)
    assert (job.tally.matched, job.tally.delivered, job.tally.skipped) == (3, 2, 1)
    assert [event["object"]["key"] for event in receiver.events] == ["a", "b"]


async def test_a_failed_backfill_is_attempted_again_with_the_same_id(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    bucket = await world.bucket("bucket")
    await world.put("bucket", b"a")
    webhook = await listen(world, receiver, retry_schedule_seconds=(0.2,))
    await world.trim_log(bucket, 2)
    receiver.answer = lambda before: 500 if before == 0 else 200
    job = await ended(world, running, await make(world, webhook, "backfill"))
    assert (job.tally.failed, job.tally.delivered) == (1, 0)
    delivery_id = receiver.headers[0]["x-elasticlake-delivery"]

    async def arrived() -> bool:
        running.dispatcher.wake({})
        return (await world.deliveries.get(ROOT, delivery_id)).delivery.status == "delivered"

    await eventually(arrived)
    first, again = receiver.headers
    assert (first["webhook-id"], receiver.bodies[0]) == (again["webhook-id"], receiver.bodies[1])
    assert again["x-elasticlake-attempt"] == "2"
    assert (await world.deliveries.get(ROOT, delivery_id)).delivery.kind == "backfill"


async def test_a_failed_backfill_of_what_has_changed_is_left_to_the_log(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 1, retry_schedule_seconds=(1.0,))
    receiver.answer = lambda before: 500 if before == 0 else 200
    job = await ended(world, running, await make(world, webhook, "backfill"))
    assert job.tally.failed == 1
    await world.remove("bucket", b"a")
    running.dispatcher.wake({})
    delivery_id = receiver.headers[0]["x-elasticlake-delivery"]

    async def canceled() -> bool:
        running.dispatcher.wake({})
        return (await world.deliveries.get(ROOT, delivery_id)).delivery.status == "canceled"

    await eventually(canceled)
    assert [event["event"] for event in receiver.events] == ["object:created", "object:deleted"]


async def test_a_canceled_jobs_failures_are_not_attempted_again(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 3, retry_schedule_seconds=(1.0,))
    receiver.answer = lambda _: 500
    job = await make(world, webhook, "backfill", rate_limit=2.0)
    running.dispatcher.wake({})
    await eventually(lambda: receiver.events)
    await world.jobs.cancel(ROOT, job.id)
    delivery_id = receiver.headers[0]["x-elasticlake-delivery"]

    async def canceled() -> bool:
        running.dispatcher.wake({})
        found = await world.delivery.read(
            lambda reader: deliveries.list_requested(reader, webhook.id, "canceled", (0, 0, 0), 9)
        )
        return bool(found) and found[0].key == b"a"

    await eventually(canceled)
    assert (await world.deliveries.get(ROOT, delivery_id)).delivery.status == "canceled"


async def test_a_backfill_waits_for_an_older_event_of_its_key_that_fails(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    """The object's latest event is none that the webhook wants, and the one before it is parked: the job goes on, and
    the object is told of later, as a delivery that can be seen."""
    bucket = await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await listen(world, receiver, events=("object:created",), retry_schedule_seconds=(3600.0,))
    await world.put("bucket", b"a", b"1")
    running.dispatcher.wake({})
    await eventually(lambda: world.delivery.read(lambda reader: deliveries.lanes(reader, webhook.id)))
    await world.put("bucket", b"a", b"22")
    job = await ended(world, running, await make(world, webhook, "backfill"))
    assert (job.tally.failed, job.tally.delivered, receiver.sequences) == (1, 0, [1])
    (waiting,) = await world.delivery.read(
        lambda reader: deliveries.list_requested(reader, webhook.id, "pending", (0, 0, 0), 9)
    )
    await world.trim_log(bucket, 3)
    shown = (await world.deliveries.get(ROOT, str(DeliveryId(*waiting[:4])))).delivery
    assert (shown.kind, shown.status, shown.key, shown.attempts) == ("backfill", "pending", b"a", 0)


async def test_sent_again_after_a_crash_an_object_has_the_same_id(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 3)
    made = await make(world, webhook, "backfill")
    await ended(world, running, made)
    first = {headers["webhook-id"] for headers in receiver.headers}
    await world.delivery.write(
        lambda tx: tx.run("UPDATE jobs SET status = 'running', cursor = '[0, 0, \"\"]' WHERE id = ?", (made.id,))
    )
    job = await ended(world, running, made)
    assert len(receiver.events) == 6
    assert {headers["webhook-id"] for headers in receiver.headers} == first
    assert len(first) == 3
    assert job.status == "completed"
    stored = await world.delivery.read(lambda reader: jobs.get(reader, made.id))
    assert stored == job
