"""What the dispatcher takes for new, changed and deleted."""

from __future__ import annotations

import asyncio
import random
from typing import Any, cast

import pytest
from tests.unit.delivery.dispatching import in_a_gateway
from tests.unit.world import KEY, ROOT, World

from elasticlake.clock import SystemClock
from elasticlake.delivery.failing import Failing
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.lookout import Lookout
from elasticlake.delivery.pace import Paces
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.turns import Turns
from elasticlake.metadata import deliveries
from elasticlake.model.ids import DeliveryId
from elasticlake.service.jobs import Jobs
from elasticlake.service.webhook_definitions import NewWebhook, Place
from elasticlake.service.webhooks import Webhooks


def lookout_of(world: World) -> Lookout:
    ledger = Ledger(world.delivery, None, cast(Any, None))  # has nothing to write
    feeds, clock = Feeds(world.core, world.delivery, ledger), SystemClock()
    turns, paces = Turns(feeds, clock, lambda: None), Paces(random.Random(0))
    nobody_else = cast(Any, None)  # is asked of lanes alone, and there are none
    return Lookout(
        world.core, world.delivery, Roster(KEY.decrypt), nobody_else, feeds, turns, paces, Failing(ledger, clock),
        ledger, lambda: None,
    )  # fmt: skip


async def make_and_test(webhooks: Webhooks, _: Jobs) -> DeliveryId:
    """A webhook, and a test delivery for it at once."""
    new = NewWebhook(Place(bucket="bucket"), "http://127.0.0.1:9/hook", ("object:created",), secret="s")
    webhook, *_others = await webhooks.create(ROOT, new)
    return await webhooks.test(ROOT, webhook.id)


@pytest.mark.embedded
async def test_a_webhook_made_since_the_webhooks_were_read_is_not_taken_for_deleted(world: World) -> None:
    await world.bucket("bucket")
    lookout = lookout_of(world)
    await asyncio.sleep(0)
    assert await lookout.learn_webhooks()
    # This loop stands still: the snapshot of the webhooks goes on, that of deliveries is yet to begin.
    one = in_a_gateway(world, make_and_test)
    await lookout.apply_changes()
    at = (one.webhook_id, one.bucket_id, one.sequence, one.generation)
    assert await world.delivery.read(lambda reader: deliveries.get_requested(reader, *at)) is not None
