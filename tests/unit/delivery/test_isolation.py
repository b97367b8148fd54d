"""What one webhook does to another, and what its owner's changes do to what is under way (I6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.delivery.dispatching import (
    HANG,
    Dispatching,
    Opening,
    Owner,
    Receiver,
    dispatching,
    eventually,
    listen,
    receiving,
)
from tests.unit.world import ROOT, World

from elasticlake.delivery.feed import Budget
from elasticlake.delivery.feeds import GUARANTEED_UNSETTLED, MAX_UNSETTLED, Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.requested import MAX_PER_WEBHOOK
from elasticlake.delivery.stopping import disable
from elasticlake.delivery.wakeup import WakeupSender
from elasticlake.delivery.wakeup import listen as listen_at
from elasticlake.metadata import webhooks
from elasticlake.service.webhook_definitions import Place, WebhookChange


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_going_on_from_now_cancels_the_head_that_failed(
    world: World, receiver: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=(1.0, 1.0))
    await world.put("bucket", b"key")
    await eventually(lambda: receiver.sequences == [1])
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    running.dispatcher.wake({})
    await world.put("bucket", b"key")
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="enabled", resume="now"))
    running.dispatcher.wake({})
    await world.put("bucket", b"key")
    running.dispatcher.wake({})
    await eventually(lambda: 3 in receiver.sequences)
    assert receiver.sequences == [1, 3]


async def test_tests_that_hang_do_not_keep_another_webhooks_test_waiting(
    world: World, receiver: Receiver, other: Receiver, running: Dispatching
) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda _: HANG
    slow, quick = await listen(world, receiver), await listen(world, other)
    for _ in range(70):
        await world.webhooks.test(ROOT, slow.id)
    running.dispatcher.wake({})
    await eventually(lambda: len(receiver.events) == MAX_PER_WEBHOOK)
    await world.webhooks.test(ROOT, quick.id)
    running.dispatcher.wake({})
    await eventually(lambda: other.events)


async def test_many_feeds_do_not_keep_a_test_waiting(world: World, receiver: Receiver) -> None:
    """They are opened one after the other, and something else has its turn in between."""
    opened = 0

    async def take_a_while() -> None:
        nonlocal opened
        opened += 1
        await asyncio.sleep(0.03)

    for number in range(150):
        await world.bucket(f"lake1--pond1--b{number}")
    webhook = await listen(world, receiver, place=Place(lake="lake1"))
    async with dispatching(world, core=Opening(world.core, take_a_while)):
        await eventually(lambda: opened)
        await world.webhooks.test(ROOT, webhook.id)
        await eventually(lambda: receiver.events)
        assert opened < 150


async def test_a_verdict_on_the_old_endpoint_does_not_disable_the_changed_webhook(
    world: World, receiver: Receiver
) -> None:
    await world.bucket("bucket")
    webhook = await listen(world, receiver)
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(endpoint="http://127.0.0.1:1/new"))
    await disable(world.core, webhook, "gone", world.clock.now_ms())
    stored = await world.core.read(lambda reader: webhooks.get(reader, webhook.id))
    assert stored is not None
    assert stored.webhook.status == "enabled"
    await disable(world.core, replace(webhook, revision=stored.webhook.revision), "gone", world.clock.now_ms())
    stored = await world.core.read(lambda reader: webhooks.get(reader, webhook.id))
    assert stored is not None
    assert (stored.webhook.status, stored.webhook.disabled_reason) == ("disabled", "gone")


def test_no_backlog_takes_the_memory_that_the_others_need(world: World) -> None:
    feeds = Feeds(world.core, world.delivery, Ledger(world.delivery, None, Owner()))
    shares = {name: feeds._share(name) for name in ("greedy", *map(str, range(20)))}
    shares["greedy"].spend(MAX_UNSETTLED // 10)
    assert not feeds.may_read("greedy")
    assert feeds.may_read("modest")
    for number in range(10):
        shares[str(number)].spend(MAX_UNSETTLED // 10)
    assert feeds.budget.used > MAX_UNSETTLED
    assert feeds.may_read("modest"), "a webhook that has nothing in memory may always read a little"
    feeds._share("modest").spend(GUARANTEED_UNSETTLED)
    assert not feeds.may_read("modest")


def test_a_share_is_part_of_the_whole() -> None:
    whole = Budget()
    share = Budget(whole=whole)
    share.spend(5)
    share.spend(-2)
    assert (share.used, whole.used) == (3, 3)


async def test_a_folder_with_a_long_path_wakes_its_dispatcher(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    woken: list[dict[int, int]] = []
    transport = await listen_at(folder / "dispatcher.sock", woken.append)
    sender = WakeupSender(folder / "dispatcher.sock")
    sender({1: 7})
    await eventually(lambda: woken == [{1: 7}])
    await sender.close()
    transport.close()
