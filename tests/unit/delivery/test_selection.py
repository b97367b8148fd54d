"""What a webhook's filter and expression refuse is passed, as if its type had not been asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from tests.unit.delivery.dispatching import Dispatching, Receiver, dispatching, eventually, listen, owning_ledger
from tests.unit.world import ROOT, World

from elasticlake.delivery.feed import Feed
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.errors import NoSuchDelivery
from elasticlake.metadata import deliveries, events
from elasticlake.model.filters import Filter
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook
from elasticlake.service import one_by_one
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import WebhookChange

ONLY_KEPT: list[dict[str, Any]] = [
    {"filter": Filter(prefix=("keep/",))},
    {"where": 'object.key.startsWith("keep/")'},
    {"filter": Filter(suffix=("7",)), "where": "object.size > 0"},
]


async def position(world: World, webhook_id: str) -> int:
    found = await world.delivery.read(lambda reader: deliveries.positions(reader, webhook_id))
    return found[0].sequence if found else 0


async def reached(world: World, webhook_id: str, sequence: int) -> bool:
    return await position(world, webhook_id) == sequence


async def failures(world: World, webhook: Webhook) -> int:
    found = (await world.webhooks.standing(await world.webhooks.get(ROOT, webhook.id))).where_errors
    return found.errors if found is not None else 0


@pytest.mark.parametrize("rules", ONLY_KEPT)
async def test_what_is_refused_is_passed_and_what_comes_after_it_sent(
    world: World, receiver: Receiver, running: Dispatching, rules: dict[str, Any]
) -> None:
    await world.bucket("bucket")
    webhook = await listen(world, receiver, rules=rules)
    for number in range(5):
        await world.put("bucket", b"other/%d" % number)
    await world.put("bucket", b"keep/7")
    await world.put("bucket", b"other/5")
    running.dispatcher.wake({})
    await eventually(lambda: receiver.sequences == [6])
    assert await eventually(lambda: reached(world, webhook.id, 7))
    [stored] = await world.delivery.read(lambda reader: deliveries.positions(reader, webhook.id))
    assert (stored.delivered, stored.dead, stored.canceled, stored.expired) == (1, 0, 0, 0)
    assert receiver.sequences == [6]


async def test_nothing_of_what_is_refused_is_a_delivery(world: World, receiver: Receiver) -> None:
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver, rules={"where": 'object.key.endsWith("b")'})
    for key in (b"a", b"b", b"c"):
        await world.put("bucket", key)
    pending = await world.deliveries.list(ROOT, webhook.id, "pending", PageRequest(None, 10))
    assert [delivery.key for delivery in pending.items] == [b"b"]
    async with dispatching(world):
        assert await eventually(lambda: reached(world, webhook.id, 3))
        await eventually(lambda: receiver.sequences == [2])
    every = await world.deliveries.list(ROOT, webhook.id, None, PageRequest(None, 10))
    assert [delivery.key for delivery in every.items] == [b"b"]
    with pytest.raises(NoSuchDelivery):
        await world.deliveries.get(ROOT, str(DeliveryId(webhook.id, bucket.id, 1)))


async def test_a_failing_key_goes_on_with_the_next_event_that_matches(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    await listen(world, receiver, retry_schedule_seconds=(0.3,), rules={"where": "object.size != 2"})
    await world.put("bucket", b"key", b"1")
    await eventually(lambda: receiver.sequences == [1])
    for data in (b"22", b"333", b"22", b"4444"):
        await world.put("bucket", b"key", data)
    running.dispatcher.wake({})
    await eventually(lambda: receiver.sequences == [1, 1, 3, 5])


async def test_a_waiting_event_that_an_edit_refuses_is_canceled(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=(0.5,))
    await world.put("bucket", b"key", b"1")
    await eventually(lambda: receiver.sequences == [1])
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(rules={"filter": Filter(min_size=2)}))
    await world.put("bucket", b"key", b"22")
    running.dispatcher.wake({})
    await eventually(lambda: receiver.sequences == [1, 2])
    assert await eventually(lambda: canceled(world, webhook))


async def canceled(world: World, webhook: Webhook) -> bool:
    [stored] = await world.delivery.read(lambda reader: deliveries.positions(reader, webhook.id))
    return (stored.canceled, stored.delivered) == (1, 1)


async def test_an_expression_without_an_answer_is_no_match_counted_and_shown(
    world: World, receiver: Receiver, running: Dispatching, caplog: pytest.LogCaptureFixture
) -> None:
    await world.bucket("bucket")
    webhook = await listen(world, receiver, rules={"where": 'object.metadata.state == "final" || object.size > 1'})
    for number in range(3):
        await world.put("bucket", b"small/%d" % number)
    await world.put("bucket", b"large", b"22")
    running.dispatcher.wake({})
    # `||` needs only one of its sides.
    await eventually(lambda: receiver.sequences == [4])

    async def counted() -> bool:
        return await failures(world, webhook) == 3

    assert await eventually(counted)
    shown = (await world.webhooks.standing(await world.webhooks.get(ROOT, webhook.id))).where_errors
    assert shown is not None
    assert (shown.last_error, shown.last_bucket, shown.last_sequence) == ("there is no state", "bucket", 3)
    # Of a changed webhook nothing is known yet.
    changed = await world.webhooks.change(ROOT, webhook.id, WebhookChange(name="another"))
    assert await failures(world, changed) == 0
    await world.put("bucket", b"small/3")
    running.dispatcher.wake({})
    assert await eventually(lambda: is_counted_anew(world, webhook))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    await world.webhooks.delete(ROOT, webhook.id)
    running.dispatcher.wake({})
    assert await eventually(lambda: is_forgotten(world, webhook))


async def is_counted_anew(world: World, webhook: Webhook) -> bool:
    return await failures(world, webhook) == 1


async def is_forgotten(world: World, webhook: Webhook) -> bool:
    return webhook.id not in await world.delivery.read(deliveries.known_webhooks)


class Ticking:
    """Counts how often all else has its turn."""

    def __init__(self) -> None:
        self.turns = 0

    async def run(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize(("rules", "has_turns"), [({"where": "object.size > 0"}, True), ({}, False)])
async def test_an_expression_lets_all_else_have_its_turn(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any], has_turns: bool
) -> None:
    monkeypatch.setattr(one_by_one, "HELD_SECONDS", 0)
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver, rules=rules)
    for number in range(100):
        await world.put("bucket", b"%d" % number)
    opened = Feeds(world.core, world.delivery, await owning_ledger(world, webhook_ids=(webhook.id,)))
    feed = await opened.open(webhook, bucket.id)
    found = await world.core.read(lambda reader: events.after(reader, bucket.id, 0, 100))
    ticking = Ticking()
    task = asyncio.create_task(ticking.run())
    assert await opened._add(feed, found)
    task.cancel()
    assert (ticking.turns >= 50) == has_turns
    assert len(feed.ready) == feed.read_up_to == 100


async def test_what_was_evaluated_is_stored_though_the_rest_never_ends(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart a slow expression is not evaluated again from where it began."""
    monkeypatch.setattr(one_by_one, "HELD_SECONDS", 0)
    ledger, opened, feed = await feed_of_twenty(world, receiver, where="object.size > 1000")
    reading = asyncio.create_task(opened.read_on(feed, 20))
    await anext(turn async for turn in turns() if feed.read_up_to >= 5)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    assert 5 <= feed.read_up_to < 20
    await ledger.flush()
    assert await position(world, feed.webhook_id) == feed.read_up_to


async def feed_of_twenty(world: World, receiver: Receiver, where: str) -> tuple[Ledger, Feeds, Feed]:
    """The feed of a webhook with this expression, twenty events before its bucket's end; nothing of it is read."""
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver, rules={"where": where})
    for number in range(20):
        await world.put("bucket", b"%d" % number)
    ledger = await owning_ledger(world, webhook_ids=(webhook.id,))
    opened = Feeds(world.core, world.delivery, ledger)
    return ledger, opened, await opened.open(webhook, bucket.id)


async def turns() -> AsyncIterator[None]:
    """One for each turn of the loop."""
    while True:
        yield await asyncio.sleep(0)


async def test_a_feed_that_is_closed_meanwhile_takes_no_more(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_by_one, "HELD_SECONDS", 0)
    ledger, opened, feed = await feed_of_twenty(world, receiver, where="object.size > 0")
    reading = asyncio.create_task(opened.read_on(feed, 20))
    await anext(turn async for turn in turns() if feed.read_up_to)
    opened.close(feed)
    assert not await reading
    assert opened.budget.used == 0
    assert not ledger.is_unwritten(feed)
