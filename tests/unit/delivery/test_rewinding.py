"""An older state of the database takes over: what was under way is not its, whether a log was being followed or not."""

from __future__ import annotations

import pytest
from tests.unit.delivery.dispatching import GatedReceiver, dispatching, eventually, listen, receiving_as
from tests.unit.world import ROOT, World

from elasticlake.delivery import ledger
from elasticlake.metadata import deliveries
from elasticlake.metadata.deliveries import RequestedDelivery
from elasticlake.model.ids import NO_BUCKET
from elasticlake.service.webhook_definitions import Place


async def test_what_was_asked_for_is_begun_anew(world: World) -> None:
    await world.hierarchy.create_lake(ROOT, "empty")
    async with receiving_as(GatedReceiver()) as receiver, dispatching(world) as at_work:
        webhook = await listen(world, receiver, place=Place(lake="empty"))
        await world.webhooks.test(ROOT, webhook.id)
        at_work.dispatcher.wake({})
        await eventually(lambda: len(receiver.headers) == 1)
        at_work.ledger.timeline = "another"
        at_work.dispatcher.wake({})
        await eventually(lambda: len(receiver.headers) == 2)
        assert [one["x-elasticlake-attempt"] for one in receiver.headers] == ["1", "1"]


async def test_what_became_of_it_is_not_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of an event that tells of a webhook may be another one's now."""
    monkeypatch.setattr(ledger, "FLUSH_SECONDS", 30)
    await world.hierarchy.create_lake(ROOT, "empty")
    async with receiving_as(GatedReceiver()) as receiver, dispatching(world) as at_work:
        webhook = await listen(world, receiver, place=Place(lake="empty"))
        await eventually(lambda: at_work.ledger.timeline is not None and at_work.membership.may_send(webhook.id))
        at_work.ledger.timeline = "another"
        at_work.ledger.requested(RequestedDelivery(webhook.id, NO_BUCKET, 7, 1, "delivered", 1, 1, None))
        at_work.dispatcher.wake({})
        await eventually(lambda: at_work.ledger.timeline != "another")
        await at_work.ledger.flush()
        written = await world.delivery.read(
            lambda reader: deliveries.get_requested(reader, webhook.id, NO_BUCKET, 7, 1)
        )
        assert written is None
