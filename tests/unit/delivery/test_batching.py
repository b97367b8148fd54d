"""Several events in one request, composed once, acknowledged as a whole."""

from __future__ import annotations

import asyncio
import base64
import hmac
from typing import Any

import pytest
from tests.simulation.receivers import make_event
from tests.unit.delivery.dispatching import Receiver, dispatching, eventually, listen
from tests.unit.world import World

from elasticlake.clock import SystemClock
from elasticlake.delivery.batching import MAX_BATCH_BYTES, Batching
from elasticlake.delivery.feeds import Feeds
from elasticlake.errors import InvalidWebhook
from elasticlake.metadata import deliveries
from elasticlake.model.events import Event
from elasticlake.model.rules import Batch
from elasticlake.model.webhooks import Webhook


def events(count: int) -> list[Event]:
    return [make_event(sequence, b"key", "object:created") for sequence in range(1, count + 1)]


def test_a_batch_holds_as_many_as_its_owner_says_and_fit() -> None:
    waiting = events(50)
    assert len(Batching(10, 0, lambda _: 100).fill(waiting[0], waiting[1:])) == 9
    assert len(Batching(100, 0, lambda _: 100).fill(waiting[0], waiting[1:])) == 49
    assert Batching(1, 0, lambda _: 100).fill(waiting[0], waiting[1:]) == ()
    large = Batching(100, 0, lambda _: MAX_BATCH_BYTES // 3 - 1)
    assert len(large.fill(waiting[0], waiting[1:])) == 2
    assert Batching(100, 0, lambda _: MAX_BATCH_BYTES).fill(waiting[0], waiting[1:]) == ()


def test_a_batch_that_is_full_waits_no_longer() -> None:
    head, batching = events(1)[0], Batching(10, 500, lambda _: 1)
    assert batching.wait_ms(head, 3, head.time_ms + 100) == 400
    assert batching.wait_ms(head, 3, head.time_ms + 600) == 0
    assert batching.wait_ms(head, 10, head.time_ms) == 0


async def batched(world: World, receiver: Receiver, **members: Any) -> Webhook:
    rules = {"batch": Batch(**{"max_events": 4, "max_wait_ms": 300} | members.pop("batch", {}))}
    return await listen(world, receiver, ordering="bucket", on_dead="continue", rules=rules, **members)


async def test_what_has_come_goes_together(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    await batched(world, receiver)
    for number in range(10):
        await world.put("bucket", b"key %d" % number)
    async with dispatching(world):
        await eventually(lambda: sum(map(len, receiver.arrays)) == 10)
    assert [event["sequence"] for array in receiver.arrays for event in array] == list(range(1, 11))
    assert [len(array) for array in receiver.arrays] == [4, 4, 2]
    first = receiver.headers[0]
    assert first["x-elasticlake-event"] == "batch"
    assert first["webhook-id"].startswith("bat_")
    assert len({headers["webhook-id"] for headers in receiver.headers}) == len(receiver.headers)
    signed = f"{first['webhook-id']}.{first['webhook-timestamp']}.".encode() + receiver.bodies[0]
    proof = base64.b64encode(hmac.digest(b"s", signed, "sha256")).decode()
    assert first["webhook-signature"] == f"v1,{proof}"


async def test_an_event_waits_for_others_but_not_for_ever(world: World, receiver: Receiver) -> None:
    world.clock.time_ms = SystemClock().now_ms()
    await world.bucket("bucket")
    await batched(world, receiver, batch={"max_events": 100, "max_wait_ms": 3000})
    async with dispatching(world) as running:
        await world.put("bucket", b"one")
        running.dispatcher.wake({})
        await world.put("bucket", b"two")
        running.dispatcher.wake({})
        await eventually(lambda: receiver.arrays)
        assert [event["sequence"] for event in receiver.arrays[0]] == [1, 2]


async def test_what_failed_comes_again_as_it_was(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await batched(world, receiver, retry_schedule_seconds=(0.5,), batch={"max_wait_ms": 0})
    for number in range(3):
        await world.put("bucket", b"key %d" % number)
    async with dispatching(world) as running:
        await eventually(lambda: len(receiver.bodies) == 1)
        for number in range(5):
            await world.put("bucket", b"more %d" % number)
        running.dispatcher.wake({})
        await eventually(lambda: sum(map(len, receiver.arrays)) == 3 + 8)
        await running.ledger.flush()
    assert receiver.bodies[0] == receiver.bodies[1]
    assert receiver.headers[0]["webhook-id"] == receiver.headers[1]["webhook-id"]
    assert [event["sequence"] for array in receiver.arrays[1:] for event in array] == list(range(1, 9))
    position = (await world.delivery.read(lambda reader: deliveries.positions(reader, webhook.id)))[0]
    assert (position.sequence, position.delivered) == (8, 8)


async def test_another_dispatcher_sends_the_same_composition(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    await batched(world, receiver, retry_schedule_seconds=(1.0,), batch={"max_wait_ms": 0})
    for number in range(3):
        await world.put("bucket", b"key %d" % number)
    async with dispatching(world):
        await eventually(lambda: len(receiver.bodies) == 1)
    await world.put("bucket", b"later")
    async with dispatching(world, name="successor"):
        await eventually(lambda: len(receiver.bodies) == 3)
    assert receiver.bodies[0] == receiver.bodies[1]
    assert [event["sequence"] for event in receiver.arrays[2]] == [4]


async def test_all_of_a_dead_batch_is_dead(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await batched(world, receiver, retry_schedule_seconds=(), batch={"max_wait_ms": 0})
    for number in range(3):
        await world.put("bucket", b"key %d" % number)
    async with dispatching(world) as running:
        await eventually(lambda: len(receiver.bodies) == 1)
        await world.put("bucket", b"later")
        running.dispatcher.wake({})
        await eventually(lambda: len(receiver.bodies) == 2)
        await running.ledger.flush()
    dead = await world.delivery.read(lambda reader: deliveries.list_dead(reader, webhook.id, (0, 0, 0), 10))
    assert [one.sequence for one in dead] == [1, 2, 3]
    position = (await world.delivery.read(lambda reader: deliveries.positions(reader, webhook.id)))[0]
    assert (position.delivered, position.dead) == (1, 3)


async def test_only_in_the_order_of_the_bucket(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    with pytest.raises(InvalidWebhook) as refused:
        await listen(world, receiver, rules={"batch": Batch(10)})
    assert refused.value.field == "batch"


async def test_a_batch_that_waits_without_room_to_read_on_takes_no_turns(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.bucket("bucket")
    await batched(world, receiver, batch={"max_events": 200})
    for number in range(150):
        await world.put("bucket", b"key %d" % number)
    asked = 0
    may_read = Feeds.may_read

    def only_at_first(feeds: Feeds, webhook_id: str) -> bool:
        nonlocal asked
        asked += 1
        return asked == 1 and may_read(feeds, webhook_id)

    monkeypatch.setattr(Feeds, "may_read", only_at_first)
    monkeypatch.setattr(Batching, "wait_ms", lambda *_: 60_000)
    async with dispatching(world):
        await eventually(lambda: asked)
        await asyncio.sleep(0.5)
        assert asked < 20
