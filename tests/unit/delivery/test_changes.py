"""What happened after a webhook was changed is sent as the change says, however late the dispatcher hears of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.unit.delivery.dispatching import (
    Dispatching,
    Receiver,
    dispatching,
    eventually,
    in_a_gateway,
    listen,
    receiving,
)
from tests.unit.world import ROOT, World

from elasticlake.delivery import dispatcher
from elasticlake.delivery.lookout import Lookout
from elasticlake.model.ids import DeliveryId
from elasticlake.model.jobs import JobParameters
from elasticlake.model.objects import Bucket
from elasticlake.service.jobs import Jobs
from elasticlake.service.webhook_definitions import WebhookChange
from elasticlake.service.webhooks import Webhooks

Act = Callable[[Webhooks, Jobs], Awaitable[Any]]


async def told_of_one(world: World, receiver: Receiver, at_work: Dispatching, bucket: Bucket) -> None:
    """The webhook is the dispatcher's, and its feed is open."""
    await world.put("bucket", b"before")
    at_work.dispatcher.wake({bucket.id: 1})
    await eventually(lambda: receiver.sequences == [1])


async def test_an_event_after_a_change_that_nobody_told_of(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "SCAN_SECONDS", 60)
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver)
    async with receiving() as moved, dispatching(world) as at_work:
        await told_of_one(world, receiver, at_work, bucket)
        await world.webhooks.change(ROOT, webhook.id, WebhookChange(endpoint=moved.url))
        await world.put("bucket", b"after")
        at_work.dispatcher.wake({bucket.id: 2})
        await eventually(lambda: receiver.sequences[1:] + moved.sequences)
        assert (receiver.sequences, moved.sequences) == ([1], [2])


async def test_an_event_after_a_change_that_the_count_of_changes_does_not_show(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a failover to a standby that had not received everything, and as many changes since."""
    monkeypatch.setattr(dispatcher, "SCAN_SECONDS", 60)
    bucket = await world.bucket("bucket")
    await listen(world, receiver)
    async with receiving() as moved, dispatching(world) as at_work:
        await told_of_one(world, receiver, at_work, bucket)
        change = "UPDATE webhooks SET revision = revision + 1, endpoint = ?"
        await world.core.write(lambda tx: tx.run(change, (moved.url,)))
        await world.put("bucket", b"after")
        at_work.dispatcher.wake({bucket.id: 2})
        await eventually(lambda: receiver.sequences[1:] + moved.sequences)
        assert (receiver.sequences, moved.sequences) == ([1], [2])


async def test_an_event_after_an_end_that_nobody_told_of(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "SCAN_SECONDS", 60)
    bucket = await world.bucket("bucket")
    first, last = await listen(world, receiver), await listen(world, receiver)
    async with dispatching(world) as at_work:
        await world.put("bucket", b"before")
        at_work.dispatcher.wake({bucket.id: 1})
        await eventually(lambda: receiver.sequences == [1, 1])
        await world.webhooks.change(ROOT, first.id, WebhookChange(status="disabled"))
        await world.webhooks.delete(ROOT, last.id)
        await world.put("bucket", b"after")
        at_work.dispatcher.wake({bucket.id: 2})
        still = await listen(world, receiver)
        await world.put("bucket", b"to somebody else")
        at_work.dispatcher.wake({})
        await eventually(lambda: len(receiver.sequences) == 3)
        assert DeliveryId.parse(receiver.headers[-1]["x-elasticlake-delivery"]).webhook_id == still.id
    assert receiver.sequences == [1, 1, 3]


@contextmanager
def elsewhere_after_looking(world: World, monkeypatch: pytest.MonkeyPatch, act: Act) -> Iterator[None]:
    """A gateway with connections of its own acts when the dispatcher has read the webhooks, and nothing else yet."""
    learn_webhooks, is_over = Lookout.learn_webhooks, False

    async def learn_and_miss(looking: Lookout) -> bool:
        nonlocal is_over
        is_new = await learn_webhooks(looking)
        if not is_over:
            is_over = True
            in_a_gateway(world, act)
        return is_new

    monkeypatch.setattr(Lookout, "learn_webhooks", learn_and_miss)
    yield
    assert is_over


@pytest.mark.embedded
async def test_a_test_delivery_after_a_change(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver)
    async with receiving() as moved, dispatching(world) as at_work:
        await told_of_one(world, receiver, at_work, bucket)

        async def move_and_test(webhooks: Webhooks, _: Jobs) -> None:
            await webhooks.change(ROOT, webhook.id, WebhookChange(endpoint=moved.url))
            await webhooks.test(ROOT, webhook.id)

        with elsewhere_after_looking(world, monkeypatch, move_and_test):
            at_work.dispatcher.wake({})
            await eventually(lambda: receiver.sequences[1:] + moved.sequences)
        assert (receiver.sequences, moved.sequences) == ([1], [0])


@pytest.mark.embedded
async def test_a_replay_after_a_change(world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = await world.bucket("bucket")
    webhook = await listen(world, receiver)
    async with receiving() as moved, dispatching(world) as at_work:
        await told_of_one(world, receiver, at_work, bucket)

        async def move_and_replay(webhooks: Webhooks, services: Jobs) -> None:
            await webhooks.change(ROOT, webhook.id, WebhookChange(endpoint=moved.url))
            await services.create(ROOT, webhook.id, "replay", JobParameters())

        with elsewhere_after_looking(world, monkeypatch, move_and_replay):
            at_work.dispatcher.wake({})
            await eventually(lambda: receiver.sequences[1:] + moved.sequences)
        assert (receiver.sequences, moved.sequences) == ([1], [1])
