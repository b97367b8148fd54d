"""Deliveries of what is told of other webhooks: in no bucket's log, and seen, sent again and counted nevertheless."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.world import ROOT, START_MS, World, attempt

from elasticlake.errors import EventsExpired
from elasticlake.metadata import deliveries as rows
from elasticlake.metadata import operational_events
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.deliveries import DeadDelivery
from elasticlake.model.ids import NO_BUCKET, DeliveryId
from elasticlake.model.webhooks import LISTED_STATUSES, Webhook
from elasticlake.service.delivery_status import Delivery
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import NewWebhook, Place

EVENTS = ("webhook:failing", "webhook:disabled")


async def told(world: World, *event_ids: str) -> Webhook:
    """A webhook that such events were announced to."""
    await world.bucket("bucket")
    new = NewWebhook(Place(bucket="bucket"), "https://myapp.com/hook", EVENTS, secret="s")
    webhook, _ = await world.webhooks.create(ROOT, new)

    def announce(tx: Transaction) -> None:
        for event_id in event_ids:
            operational_events.announce(tx, event_id, "root", "webhook:disabled", {}, [webhook.id], START_MS)

    await world.delivery.write(announce)
    return webhook


async def bury(world: World, webhook: Webhook, sequence: int) -> None:
    """As the dispatcher does when the last attempt failed."""

    def died(tx: Transaction) -> None:
        pending = rows.get_requested(tx, webhook.id, NO_BUCKET, sequence, 1)
        assert pending is not None
        rows.put_requested(tx, pending._replace(status="dead", attempts=3, next_attempt_at_ms=None))
        rows.put_dead(tx, DeadDelivery(webhook.id, NO_BUCKET, sequence, 1, b"", 3, START_MS))

    await world.delivery.write(died)


async def listed(world: World, webhook: Webhook, status: str) -> list[Delivery]:
    [wanted] = [one for one in LISTED_STATUSES if one == status]
    return list((await world.deliveries.list(ROOT, webhook.id, wanted, PageRequest())).items)


async def test_they_are_seen_before_their_first_attempt(world: World) -> None:
    webhook = await told(world, "evt_1", "evt_2")
    waiting = await listed(world, webhook, "pending")
    assert sorted((one.event_id, one.event, one.bucket) for one in waiting) == [
        ("evt_1", "webhook:disabled", None), ("evt_2", "webhook:disabled", None),
    ]  # fmt: skip
    assert {(one.kind, one.key) for one in waiting} == {("event", None)}
    assert (await world.deliveries.get(ROOT, str(waiting[0].id))).attempts == []


async def test_a_dead_one_is_seen_without_history_and_can_be_sent_again(world: World) -> None:
    webhook = await told(world, "evt_1")
    await bury(world, webhook, 1)
    [dead] = await listed(world, webhook, "dead")
    assert (dead.event_id, dead.attempts) == ("evt_1", 3)
    again = await world.deliveries.redeliver(ROOT, str(dead.id))
    assert (again.event_id, again.status, again.kind) == ("evt_1", "pending", "redelivery")


async def test_one_whose_event_went_by_age_cannot_be_sent_again(world: World) -> None:
    webhook = await told(world, "evt_1")
    await bury(world, webhook, 1)
    world.record(replace(attempt(webhook.id, NO_BUCKET, 1, 3, generation=1, status="dead"), key=b""))
    late_ms = START_MS + operational_events.KEPT_MS + 1
    await world.delivery.write(
        lambda tx: operational_events.announce(tx, "evt_2", "root", "webhook:failing", {}, [], late_ms)
    )
    with pytest.raises(EventsExpired, match="sequence 2"):
        await world.deliveries.redeliver(ROOT, str(DeliveryId(webhook.id, NO_BUCKET, 1, 1)))


async def test_an_attempt_of_another_event_under_the_same_number_is_not_its_own(world: World) -> None:
    """History can be newer than what the dispatcher remembers: then numbers come again that it knows."""
    webhook = await told(world, "evt_new")
    world.record(replace(attempt(webhook.id, NO_BUCKET, 1, generation=1), event_id="evt_old"))
    log = await world.deliveries.get(ROOT, str(DeliveryId(webhook.id, NO_BUCKET, 1, 1)))
    assert (log.delivery.event_id, log.delivery.last_attempt_at_ms, log.attempts) == ("evt_new", None, [])


async def test_a_replay_of_what_failed_does_not_count_them(world: World) -> None:
    webhook = await told(world, "evt_1")
    await bury(world, webhook, 1)
    assert (await world.jobs.failing(ROOT, webhook.id)).dead == 0
