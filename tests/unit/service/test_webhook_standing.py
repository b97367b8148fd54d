"""How webhooks stand, from both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.world import ROOT, START_MS, World

from elasticlake.metadata import breakers, deliveries, failing_webhooks, nodes, where_errors
from elasticlake.metadata.breakers import OpenBreaker
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.deliveries import Lane, Position, RequestedDelivery
from elasticlake.metadata.failing_webhooks import FailingWebhook
from elasticlake.metadata.where_errors import WhereErrors
from elasticlake.model.webhooks import Webhook
from elasticlake.service import webhook_standing
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

pytestmark = pytest.mark.both_engines
NEW = NewWebhook(Place(bucket="bucket"), "https://myapp.com/hook", ("object:created",), secret="s")


async def put(world: World, bucket: str, count: int) -> None:
    """Events a second apart."""
    for _ in range(count):
        await world.put(bucket, b"key")
        world.clock.time_ms += 1000


async def hook(world: World, new: NewWebhook = NEW) -> Webhook:
    return (await world.webhooks.create(ROOT, new))[0]


async def reach(world: World, webhook: Webhook, bucket_id: int, sequence: int) -> None:
    await world.delivery.write(lambda tx: deliveries.put_position(tx, Position(webhook.id, bucket_id, sequence)))


async def test_what_waits_begins_behind_the_position(world: World) -> None:
    bucket = await world.bucket("bucket")
    await put(world, "bucket", 2)
    webhook = await hook(world)
    idle = await world.webhooks.standing(webhook)
    assert (idle.backlog, idle.retrying, idle.waiting, idle.oldest_undelivered_ms) == (0, 0, 0, None)
    await put(world, "bucket", 3)
    behind = await world.webhooks.standing(webhook)
    assert (behind.backlog, behind.oldest_undelivered_ms) == (3, START_MS + 2000)
    await reach(world, webhook, bucket.id, 4)
    behind = await world.webhooks.standing(webhook)
    assert (behind.backlog, behind.oldest_undelivered_ms) == (1, START_MS + 4000)
    await reach(world, webhook, bucket.id, 5)
    assert (await world.webhooks.standing(webhook)).oldest_undelivered_ms is None


async def test_a_parked_event_is_older_than_what_the_position_has_not_come_to(world: World) -> None:
    bucket = await world.bucket("bucket")
    webhook = await hook(world)
    await put(world, "bucket", 4)
    await reach(world, webhook, bucket.id, 3)
    rows = [Lane(webhook.id, bucket.id, key, head, 1, START_MS) for key, head in ((b"a", 3), (b"b", 2))]
    asked_for = RequestedDelivery(webhook.id, bucket.id, 1, 1, "pending", 0, START_MS, START_MS)

    def park(tx: Transaction) -> None:
        for row in rows:
            deliveries.put_lane(tx, row)
        deliveries.put_requested(tx, asked_for)

    await world.delivery.write(park)
    standing = await world.webhooks.standing(webhook)
    assert (standing.backlog, standing.retrying, standing.waiting) == (1, 3, 4)
    assert standing.oldest_undelivered_ms == START_MS + 1000


async def test_what_retention_took_is_not_waited_for(world: World) -> None:
    bucket = await world.bucket("bucket")
    webhook = await hook(world)
    await put(world, "bucket", 3)
    await world.trim_log(bucket, 3)
    assert (await world.webhooks.standing(webhook)).oldest_undelivered_ms == START_MS + 2000
    await world.trim_log(bucket, 4)
    assert (await world.webhooks.standing(webhook)).oldest_undelivered_ms is None


async def test_a_lake_s_webhook_waits_for_all_its_buckets(world: World) -> None:
    first, second = await world.bucket("lake1--pond1--a"), await world.bucket("lake1--pond2--b")
    await world.bucket("lake2--pond1--c")
    wide, narrow = (
        await hook(world, replace(NEW, place=Place(lake="lake1"))),
        await hook(world, replace(NEW, place=Place(pond="lake1--pond2"))),
    )
    for name in ("lake1--pond1--a", "lake1--pond2--b", "lake2--pond1--c"):
        await put(world, name, 2)
    await reach(world, wide, first.id, 2)
    await reach(world, narrow, second.id, 1)
    found = await world.webhooks.standings([wide, narrow])
    assert [(one.backlog, one.oldest_undelivered_ms) for one in found.values()] == [
        (2, START_MS + 2000),
        (1, START_MS + 3000),
    ]


async def test_failing_breaker_and_errors_are_those_of_the_webhook_as_it_is(world: World) -> None:
    await world.bucket("bucket")
    webhook = await hook(world, replace(NEW, rules={"where": "object.size > 1"}))
    errors = WhereErrors(webhook.id, webhook.revision, 2, "there is no a", "bucket", 5)
    breaker = OpenBreaker(webhook.id, 1, "open", START_MS)

    def fail(tx: Transaction) -> None:
        failing_webhooks.put(tx, FailingWebhook(webhook.id, webhook.revision, START_MS, False, "reset"))
        where_errors.add(tx, errors)
        nodes.claim(tx, [webhook.id], 1)
        breakers.put(tx, breaker)

    await world.delivery.write(fail)
    standing = await world.webhooks.standing(webhook)
    assert (standing.failing_since_ms, standing.last_error) == (START_MS, "reset")
    assert (standing.breaker, standing.where_errors) == (breaker, errors)
    changed = await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    standing = await world.webhooks.standing(changed)
    assert (standing.failing_since_ms, standing.last_error, standing.breaker, standing.where_errors) == (None,) * 4


async def test_many_webhooks_stand_as_each_does_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = await world.bucket("bucket")
    made = [await hook(world) for _ in range(5)]
    await put(world, "bucket", 5)
    for number, webhook in enumerate(made):
        await reach(world, webhook, bucket.id, number)
    alone = {webhook.id: await world.webhooks.standing(webhook) for webhook in made}
    assert [standing.backlog for standing in alone.values()] == [5, 4, 3, 2, 1]
    assert await world.webhooks.standings(made) == alone
    monkeypatch.setattr(webhook_standing, "_WEBHOOKS_AT_ONCE", 2)
    monkeypatch.setattr(webhook_standing, "_TIMES_AT_ONCE", 1)
    assert await world.webhooks.standings(made) == alone
    assert await world.webhooks.standings([]) == {}
