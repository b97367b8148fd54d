"""The dispatcher over real stores and sockets: what edits, stops and faults do to what waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from structlog.testing import capture_logs
from tests.unit.delivery.dispatching import HANG, Dispatching, Receiver, dispatching, eventually, listen
from tests.unit.faulty_database import Faulty
from tests.unit.world import ROOT, World

from elasticlake.delivery import belonging, dispatcher, ledger
from elasticlake.metadata import deliveries
from elasticlake.metadata.database import ALONE, Committed, Reader, Touching, Transaction
from elasticlake.metadata.deliveries import Position
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook
from elasticlake.service.webhook_definitions import WebhookChange

T = TypeVar("T")


async def position(world: World, webhook: Webhook) -> Position:
    """The webhook's only position; a fresh one if nothing is stored yet."""
    found = await world.delivery.read(lambda reader: deliveries.positions(reader, webhook.id))
    return found[0] if found else Position(webhook.id, 0, 0)


async def test_an_edit_while_a_lane_waits_neither_repeats_nor_skips(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=(1.0,))
    for number in range(3):
        await world.put("bucket", b"key", b"%d" % number)
    await eventually(lambda: receiver.events)
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(name="renamed"))
    running.dispatcher.wake({})
    await eventually(lambda: 3 in receiver.sequences)
    assert receiver.sequences == [1, 1, 2, 3]
    assert await eventually(lambda: position_of(world, webhook, delivered=3))


async def position_of(world: World, webhook: Webhook, delivered: int) -> bool:
    return (await position(world, webhook)).delivered == delivered


async def test_410_is_the_last_request(world: World, receiver: Receiver, running: Dispatching) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda _: 410
    webhook = await listen(world, receiver, retry_schedule_seconds=(0.1,))
    await world.put("bucket", b"key")
    await eventually(lambda: running.disabled)
    await asyncio.sleep(0.3)
    assert receiver.sequences == [1]
    assert running.disabled == [(webhook.id, "gone")]
    receiver.answer = lambda _: 200
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="enabled"))
    running.dispatcher.wake({})
    await eventually(lambda: receiver.sequences == [1, 1])


async def test_a_dead_event_that_pauses_lets_no_later_one_of_its_lane_pass(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before < 2 else 200
    webhook = await listen(world, receiver, ordering="bucket", retry_schedule_seconds=(0.1,))
    for number in range(3):
        await world.put("bucket", b"%d" % number)
    await eventually(lambda: running.disabled)
    await asyncio.sleep(0.3)
    assert receiver.sequences == [1, 1]
    assert running.disabled == [(webhook.id, "deadDelivery")]
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="enabled"))
    running.dispatcher.wake({})
    await eventually(lambda: receiver.sequences == [1, 1, 2, 3])


async def test_a_redelivery_that_meets_410_ends_and_disables(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver)
    await world.put("bucket", b"key")
    await eventually(lambda: receiver.sequences == [1])
    delivery_id = str(DeliveryId(webhook.id, bucket.id, 1))
    await eventually(lambda: delivered(world, delivery_id))
    receiver.answer = lambda _: 410
    again = await world.deliveries.redeliver(ROOT, delivery_id)
    running.dispatcher.wake({})
    await eventually(lambda: running.disabled == [(webhook.id, "gone")])
    assert (await world.deliveries.wait_for(ROOT, str(again.id), 5)).status == "dead"
    assert receiver.sequences == [1, 1]


async def delivered(world: World, delivery_id: str) -> bool:
    return (await world.deliveries.get(ROOT, delivery_id)).delivery.status == "delivered"


class FaultyReads:
    """The database, but each read fails while `faults` are left."""

    def __init__(self, world: World) -> None:
        self._database = world.core
        self.faults = 0

    async def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> T:
        if self.faults:
            self.faults -= 1
            raise OSError("the disk does not answer")
        return await self._database.read(query, loose=loose)

    def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> Awaitable[T]:
        return self._database.write(mutation, long=long)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()


async def test_a_fault_of_the_database_uses_up_no_attempt_and_forgets_nothing(world: World, receiver: Receiver) -> None:
    core = FaultyReads(world)
    await world.bucket("bucket")
    await listen(world, receiver, retry_schedule_seconds=(0.3,))

    def answer(before: int) -> int:
        if before > 0:
            return 200
        # Whatever is read next fails: by a scan, or for the head of the lane.
        core.faults = 3
        return 500

    receiver.answer = answer
    async with dispatching(world, core=core):
        await world.put("bucket", b"key", b"1")
        await world.put("bucket", b"key", b"2")
        await eventually(lambda: receiver.sequences == [1, 1, 2])
    assert [headers["x-elasticlake-attempt"] for headers in receiver.headers] == ["1", "2", "1"]


async def test_a_database_that_is_away_is_told_once_and_without_a_traceback(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "SCAN_SECONDS", 0.01)
    monkeypatch.setattr(belonging, "BEAT_SECONDS", 0.01)
    core = Faulty(world.core)
    with capture_logs() as logs:
        async with dispatching(world, core=core):
            await eventually(lambda: core.refusals > 20)
            core.is_away = False
            await eventually(lambda: [line for line in logs if line["event"].startswith("it is certain again")])
    told = [line for line in logs if line["log_level"] in ("warning", "error")]
    assert sorted(line["event"] for line in told) == ["cannot tell which webhooks are ours", "deliveries wait"]
    assert not any("exc_info" in line for line in told)


async def test_what_cannot_be_remembered_is_not_sent(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else memory would grow, and so would what a crash has sent again."""
    monkeypatch.setattr(ledger, "MAX_UNWRITTEN_BYTES", 50_000)
    monkeypatch.setattr(dispatcher, "SCAN_SECONDS", 60.0)
    disk = Faulty(world.delivery)
    await world.bucket("bucket")
    await listen(world, receiver)
    async with dispatching(world, outcomes=disk) as running:
        for number in range(200):
            await world.put("bucket", b"%d" % number)
        running.dispatcher.wake({})
        await eventually(lambda: running.ledger.is_full)
        await asyncio.sleep(0.3)
        sent = len(receiver.events)
        assert 10 < sent < 100
        await asyncio.sleep(0.3)
        assert len(receiver.events) == sent
        disk.is_away = False
        await eventually(lambda: len(receiver.events) == 200)
    assert sorted(receiver.sequences) == list(range(1, 201))


async def test_an_attempt_under_way_at_the_end_is_made_again_uncounted(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    webhook = await listen(world, receiver)
    receiver.answer = lambda before: HANG if before == 0 else 200
    async with dispatching(world):
        await world.put("bucket", b"key")
        await eventually(lambda: receiver.sequences == [1])
    assert (await position(world, webhook)).sequence == 0
    async with dispatching(world):
        await eventually(lambda: position_of(world, webhook, delivered=1))
    assert receiver.sequences == [1, 1]
    assert [headers["x-elasticlake-attempt"] for headers in receiver.headers] == ["1", "1"]


@pytest.mark.both_engines
async def test_where_an_older_database_took_over_what_is_new_is_delivered(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    """As after a failover to a standby that had not received everything: sequences are given a second time."""
    await world.bucket("bucket")
    webhook = await listen(world, receiver)
    for number in range(5):
        await world.put("bucket", b"%d" % number)
    await eventually(lambda: position_of(world, webhook, delivered=5))

    def take_over(tx: Transaction) -> None:
        tx.run("DELETE FROM objects WHERE sequence > 3")
        tx.run("DELETE FROM events WHERE sequence > 3")
        tx.run("UPDATE buckets SET sequence = 3, objects = 3")

    async def is_back() -> bool:
        return (await position(world, webhook)).sequence == 3

    await world.core.write(take_over)
    await eventually(is_back)
    for number in range(2):
        assert await world.put("bucket", b"new %d" % number) == 4 + number
    await eventually(lambda: len(receiver.events) == 7)
    assert [event["object"]["key"] for event in receiver.events[5:]] == ["new 0", "new 1"]
