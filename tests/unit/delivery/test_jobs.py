"""Replays at work, over real stores and sockets: what is sent, in which order, and what remains of it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

import pytest
from tests.unit.delivery.dispatching import HANG, Dispatching, Receiver, dispatching, eventually, listen
from tests.unit.delivery.job_world import KEYS, ended, heard, make, settled
from tests.unit.world import ROOT, World

from elasticlake.metadata import deliveries, jobs, nodes
from elasticlake.metadata.jobs import Job
from elasticlake.model.ids import DeliveryId
from elasticlake.model.jobs import JobParameters, generation_of
from elasticlake.model.rules import Batch, Filter
from elasticlake.service.webhook_definitions import WebhookChange


async def test_a_replay_sends_each_key_s_events_again_in_order(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 30)
    assert (await world.jobs.count(ROOT, webhook.id, "replay", JobParameters())).matched == 30
    job = await ended(world, running, await make(world, webhook))
    assert (job.status, job.total, job.tally.scanned, job.tally.matched) == ("completed", 30, 30, 30)
    assert (job.tally.delivered, job.tally.failed, job.ended_at_ms is None) == (30, 0, False)
    assert sorted(receiver.sequences) == list(range(1, 31))
    assert {headers["x-elasticlake-replay"] for headers in receiver.headers} == {job.id}
    assert all("x-elasticlake-redelivery" not in headers for headers in receiver.headers)
    of_key = defaultdict[str, list[int]](list)
    for event in receiver.events:
        of_key[event["object"]["key"]].append(event["sequence"])
    assert all(sequences == sorted(sequences) for sequences in of_key.values())


async def test_a_replay_sends_one_event_of_a_key_at_a_time(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 9)
    receiver.answer = lambda before: HANG if receiver.events[before]["object"]["key"] == "a" else 200
    await make(world, webhook)
    running.dispatcher.wake({})
    await eventually(lambda: len(receiver.events) == 7)
    await asyncio.sleep(0.3)
    assert Counter(event["object"]["key"] for event in receiver.events) == {"a": 1, "b": 3, "c": 3}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"from_sequence": 4, "to_sequence": 7}, [4, 5, 6, 7]),
        ({"from_sequence": 8, "to_sequence": 2**62}, [8, 9]),
        ({"prefix": "b"}, [2, 5, 8]),
        ({"events": ("object:created",)}, [1, 2, 3]),
        ({"since_ms": 2**40 * 4}, []),
        ({"only": "dead"}, []),
        ({"only": "retrying"}, []),
    ],
)
async def test_a_replay_sends_what_was_asked_for_and_a_dry_run_counts_as_much(
    world: World, receiver: Receiver, running: Dispatching, parameters: dict[str, Any], expected: list[int]
) -> None:
    webhook = await heard(world, receiver, running, 9)
    count = await world.jobs.count(ROOT, webhook.id, "replay", JobParameters(**parameters))
    job = await ended(world, running, await make(world, webhook, **parameters))
    assert sorted(receiver.sequences) == expected
    assert (count.matched, count.at_least, job.tally.matched) == (len(expected), False, len(expected))


async def test_the_webhooks_filter_applies(world: World, receiver: Receiver, running: Dispatching) -> None:
    webhook = await heard(world, receiver, running, 6)
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(rules={"filter": Filter(prefix=("c",))}))
    assert (await world.jobs.count(ROOT, webhook.id, "replay", JobParameters())).matched == 2
    job = await ended(world, running, await make(world, webhook))
    assert (sorted(receiver.sequences), job.tally.scanned) == ([3, 6], 6)


async def test_ids_are_the_events_own_unless_fresh_ones_are_wanted(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 3)
    await ended(world, running, await make(world, webhook))
    await ended(world, running, await make(world, webhook, fresh_ids=True))
    own, fresh = receiver.headers[:3], receiver.headers[3:]
    page = await world.feed.after(ROOT, "bucket", 0)
    assert {headers["webhook-id"] for headers in own} == {event.id for event in page.events}
    assert {headers["webhook-id"] for headers in fresh}.isdisjoint(headers["webhook-id"] for headers in own)
    assert len({headers["webhook-id"] for headers in fresh}) == 3


async def test_what_fails_is_attempted_again_as_a_delivery_that_can_be_seen(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 3, retry_schedule_seconds=(0.2,))
    receiver.answer = lambda before: 500 if before == 0 else 200
    job = await ended(world, running, await make(world, webhook))
    assert (job.tally.delivered, job.tally.failed) == (2, 1)
    failed = receiver.headers[0]["x-elasticlake-delivery"]

    async def arrived() -> bool:
        running.dispatcher.wake({})
        return (await world.deliveries.get(ROOT, failed)).delivery.status == "delivered"

    await eventually(arrived)
    log = await world.deliveries.get(ROOT, failed)
    assert (log.delivery.kind, [attempt.status for attempt in log.attempts]) == ("replay", ["retrying", "delivered"])
    again = receiver.headers[-1]
    assert (again["x-elasticlake-attempt"], again["x-elasticlake-replay"]) == ("2", job.id)
    assert again["webhook-id"] == receiver.headers[0]["webhook-id"]


async def test_a_delivered_event_of_a_job_is_a_delivery_of_its_own(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 1)
    job = await ended(world, running, await make(world, webhook))
    identity = receiver.headers[0]["x-elasticlake-delivery"]
    assert DeliveryId.parse(identity).generation == generation_of(job.number, "replay")

    async def shown() -> bool:
        log = await world.deliveries.get(ROOT, identity)
        return log.delivery.kind == "replay" and [attempt.status for attempt in log.attempts] == ["delivered"]

    await eventually(shown)


async def test_dead_deliveries_are_replayed_and_are_dead_no_more(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 1 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=())
    for key in KEYS:
        await world.put("bucket", key)
        running.dispatcher.wake({})
    await settled(world, webhook, 2)

    async def dead() -> list[Any]:
        return await world.delivery.read(lambda reader: deliveries.list_dead(reader, webhook.id, (0, 0, 0), 10))

    (given_up,) = await eventually(dead)
    assert (await world.jobs.count(ROOT, webhook.id, "replay", JobParameters(only="dead"))).matched == 1
    job = await ended(world, running, await make(world, webhook, only="dead"))
    assert (job.total, job.tally.delivered, receiver.sequences[3:]) == (1, 1, [given_up.sequence])
    assert await dead() == []


async def test_a_parked_head_that_a_replay_delivers_lets_its_key_go_on(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=(3600.0,))
    for number in range(3):
        await world.put("bucket", b"key", b"%d" % number)
    running.dispatcher.wake({})
    await eventually(lambda: world.delivery.read(lambda reader: deliveries.lanes(reader, webhook.id)))
    job = await ended(world, running, await make(world, webhook, only="retrying"))
    assert (job.total, job.tally.matched, job.tally.delivered) == (1, 1, 1)
    await settled(world, webhook, 3)
    assert receiver.sequences == [1, 1, 2, 3]
    assert await world.delivery.read(lambda reader: deliveries.lanes(reader, webhook.id)) == []


async def test_a_parked_head_that_a_replay_fails_to_deliver_stays_with_its_lane(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda _: 500
    webhook = await listen(world, receiver, retry_schedule_seconds=(3600.0,))
    await world.put("bucket", b"key")
    running.dispatcher.wake({})
    await eventually(lambda: world.delivery.read(lambda reader: deliveries.lanes(reader, webhook.id)))
    job = await ended(world, running, await make(world, webhook, only="retrying"))
    assert (job.tally.failed, receiver.sequences) == (1, [1, 1])
    (parked,) = await world.delivery.read(lambda reader: deliveries.parked(reader, [webhook.id]))
    assert (parked.lanes, parked.requested) == (1, 0)
    failed = (await world.deliveries.get(ROOT, receiver.headers[1]["x-elasticlake-delivery"])).delivery
    assert (failed.status, failed.kind) == ("canceled", "replay")


async def test_of_a_parked_batch_only_what_a_replay_delivers_is_taken_for_delivered(
    world: World, receiver: Receiver
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    how = {"ordering": "bucket", "on_dead": "continue", "retry_schedule_seconds": (3600.0,)}
    webhook = await listen(world, receiver, **how, rules={"batch": Batch(3, 0)})
    for key in KEYS:
        await world.put("bucket", key)
    async with dispatching(world) as running:
        await eventually(lambda: world.delivery.read(lambda reader: deliveries.lanes(reader, webhook.id)))
        await ended(world, running, await make(world, webhook, only="retrying"))
        await settled(world, webhook, 3)
    assert [[event["sequence"] for event in array] for array in receiver.arrays] == [[1, 2, 3], [1], [2, 3]]


async def test_a_canceled_job_sends_no_more(world: World, receiver: Receiver, running: Dispatching) -> None:
    webhook = await heard(world, receiver, running, 60)
    job = await make(world, webhook, rate_limit=20.0)
    running.dispatcher.wake({})
    await eventually(lambda: len(receiver.events) >= 3)
    canceled = await world.jobs.cancel(ROOT, job.id)
    assert canceled.status == "canceled"
    running.dispatcher.wake({})
    await asyncio.sleep(0.3)
    sent = len(receiver.events)
    await asyncio.sleep(0.5)
    assert len(receiver.events) == sent < 60
    now = await world.jobs.get(ROOT, job.id)
    assert (now.status, now.tally.delivered) == ("canceled", sent)


async def test_a_job_keeps_to_its_rate(world: World, receiver: Receiver, running: Dispatching) -> None:
    webhook = await heard(world, receiver, running, 30)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await ended(world, running, await make(world, webhook, rate_limit=20.0))
    taken = loop.time() - began
    assert 1.0 < taken < 6.0, f"30 events at 20 a second took {taken} s"


async def test_what_happens_now_is_told_while_a_replay_waits(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    webhook = await heard(world, receiver, running, 9)
    job = await make(world, webhook, rate_limit=0.5)
    running.dispatcher.wake({})
    await eventually(lambda: receiver.events)
    await world.put("bucket", b"new")
    running.dispatcher.wake({})
    await eventually(lambda: 10 in receiver.sequences)
    assert (await world.jobs.get(ROOT, job.id)).status == "running"


async def test_a_job_of_a_disabled_webhook_waits(world: World, receiver: Receiver, running: Dispatching) -> None:
    webhook = await heard(world, receiver, running, 3)
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    running.dispatcher.wake({})
    job = await make(world, webhook)
    running.dispatcher.wake({})
    await asyncio.sleep(0.3)
    assert (receiver.events, (await world.jobs.get(ROOT, job.id)).status) == ([], "running")
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="enabled"))
    assert (await ended(world, running, job)).tally.delivered == 3


async def test_410_stops_a_job_and_loses_nothing_of_it(world: World, receiver: Receiver, running: Dispatching) -> None:
    webhook = await heard(world, receiver, running, 4, ordering="bucket", on_dead="continue")
    receiver.answer = lambda before: 410 if before == 1 else 200
    job = await make(world, webhook)
    running.dispatcher.wake({})
    await eventually(lambda: running.disabled)
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="enabled"))
    job = await ended(world, running, job)
    assert receiver.sequences == [1, 2, 2, 3, 4]
    assert (job.tally.delivered, job.tally.failed) == (4, 0)


async def test_a_deleted_webhook_s_jobs_go_with_it(world: World, receiver: Receiver, running: Dispatching) -> None:
    webhook = await heard(world, receiver, running, 9)
    await make(world, webhook, rate_limit=1.0)
    running.dispatcher.wake({})
    await eventually(lambda: receiver.events)
    await world.webhooks.delete(ROOT, webhook.id)
    running.dispatcher.wake({})

    async def forgotten() -> bool:
        return webhook.id not in await world.delivery.read(deliveries.known_webhooks)

    await eventually(forgotten)
    await asyncio.sleep(1.5)
    assert await forgotten()
    assert len(receiver.events) <= 2


async def test_a_dispatcher_that_stops_leaves_the_rest_to_the_next(world: World, receiver: Receiver) -> None:
    """What was sent is written, so the next goes on with what was not; the job ends complete."""
    async with dispatching(world) as first:
        webhook = await heard(world, receiver, first, 90)
        job = await make(world, webhook, rate_limit=60.0)
        first.dispatcher.wake({})
        await eventually(lambda: len(receiver.events) >= 15)
    assert (await world.jobs.get(ROOT, job.id)).status == "running"
    async with dispatching(world, name="second") as second:
        job = await ended(world, second, job)
    assert (job.tally.matched, job.tally.delivered, job.tally.scanned) == (90, 90, 90)
    assert Counter(receiver.sequences) == dict.fromkeys(range(1, 91), 1)


async def test_a_crash_sends_no_more_than_a_window_again_and_counts_each_event_once(
    world: World, receiver: Receiver
) -> None:
    async with dispatching(world) as first:
        webhook = await heard(world, receiver, first, 90)
        job = await make(world, webhook, rate_limit=60.0)
        first.dispatcher.wake({})
        await eventually(lambda: len(receiver.events) >= 15)
        before = await world.jobs.get(ROOT, job.id)
        await eventually(lambda: len(receiver.events) >= 30)
    # As if nothing had been written since: what a kill takes is the last moments before it.
    await _set_back(world, before)
    async with dispatching(world, name="second") as second:
        job = await ended(world, second, job)
    sent = Counter(receiver.sequences)
    assert set(sent) == set(range(1, 91))
    assert max(sent.values()) == 2
    assert sum(sent.values()) - 90 < 60
    assert (job.tally.matched, job.tally.delivered) == (90, 90)


async def _set_back(world: World, job: Job) -> None:
    await world.delivery.write(lambda tx: jobs.put_progress(tx, job))


async def test_jobs_move_with_their_webhooks_and_send_nothing_twice(world: World, receiver: Receiver) -> None:
    """So many webhooks that each of two dispatchers has some, whatever their epochs are."""
    await world.bucket("bucket")
    for number in range(40):
        await world.put("bucket", KEYS[number % len(KEYS)], b"%d" % number)
    hooks = [await listen(world, receiver) for _ in range(16)]
    async with dispatching(world, name="first") as first:
        made = [await make(world, webhook, rate_limit=15.0) for webhook in hooks]
        first.dispatcher.wake({})
        await eventually(lambda: len(receiver.events) >= 40)
        async with dispatching(world, name="second") as second:
            for job in made:
                now = await ended(world, second, job)
                assert (now.status, now.tally.delivered, now.tally.scanned) == ("completed", 40, 40)
            owned = await world.delivery.read(nodes.owners)
            assert set(owned.values()) == {first.membership.epoch, second.membership.epoch}
    sent = Counter(headers["x-elasticlake-delivery"] for headers in receiver.headers)
    assert (len(sent), max(sent.values())) == (len(hooks) * 40, 1)
