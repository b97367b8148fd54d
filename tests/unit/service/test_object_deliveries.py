"""Who was told of an object."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.world import ROOT, START_MS, World

from elasticlake.errors import InvalidInput, NoSuchBucket
from elasticlake.metadata import deliveries as rows
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Position
from elasticlake.model.accounts import Token
from elasticlake.model.objects import Bucket
from elasticlake.model.webhooks import Webhook
from elasticlake.service import object_deliveries
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

pytestmark = pytest.mark.both_engines
NAME = "lake1--pond1--bucket"
ANY = ("object:created", "object:updated", "object:deleted")
NEW = NewWebhook(Place(bucket=NAME), "https://myapp.com/hook", ANY, secret="s")
Told = tuple[int, str, str]


async def hook(world: World, new: NewWebhook = NEW) -> Webhook:
    return (await world.webhooks.create(ROOT, new))[0]


async def told(world: World, key: bytes = b"a", limit: int = 100) -> list[Told]:
    """Sequence, webhook and status of every page, whatever the pages' sizes."""
    found, request = list[Told](), PageRequest(limit=limit)
    while True:
        page = await world.object_deliveries.page(ROOT, NAME, key, request)
        assert len(page.items) <= limit
        found += [(one.id.sequence, one.id.webhook_id, one.status) for one in page.items]
        if page.next_cursor is None:
            return found
        request = PageRequest(page.next_cursor, limit)


async def reach(world: World, webhook: Webhook, bucket: Bucket, sequence: int) -> None:
    await world.delivery.write(lambda tx: rows.put_position(tx, Position(webhook.id, bucket.id, sequence)))


async def test_every_webhook_in_whose_scope_the_bucket_lies_is_asked(world: World) -> None:
    await world.bucket(NAME)
    await world.bucket("lake1--pond2--other")
    own = await hook(world)
    wider = [
        await hook(world, replace(NEW, place=place)) for place in (Place(pond="lake1--pond1"), Place(lake="lake1"))
    ]
    await hook(world, replace(NEW, place=Place(pond="lake1--pond2")))
    await hook(world, replace(NEW, events=("object:deleted",)))
    await world.put(NAME, b"a")
    await world.put(NAME, b"b")
    await world.put(NAME, b"a")
    ids = sorted([own.id, *(webhook.id for webhook in wider)])
    expected = [(sequence, webhook_id, "pending") for sequence in (3, 1) for webhook_id in ids]
    assert await told(world) == expected
    assert await told(world, b"none") == []


async def test_each_says_what_the_delivery_says_of_itself(world: World) -> None:
    bucket = await world.bucket(NAME)
    webhook = await hook(world)
    for _ in range(5):
        await world.put(NAME, b"a")
    await reach(world, webhook, bucket, 4)
    lane = Lane(webhook.id, bucket.id, b"a", 3, 2, START_MS)
    dead = DeadDelivery(webhook.id, bucket.id, 2, 0, b"a", 10, START_MS)
    await world.delivery.write(lambda tx: (rows.put_lane(tx, lane), rows.put_dead(tx, dead)))
    world.record(await world.attempt(webhook.id, bucket.id, 1))
    page = await world.object_deliveries.page(ROOT, NAME, b"a", PageRequest())
    assert [one.status for one in page.items] == ["held", "held", "retrying", "dead", "delivered"]
    for one in page.items:
        assert (await world.deliveries.get(ROOT, str(one.id))).delivery == one
    assert (page.items[-1].last_status_code, page.items[-1].last_attempt_at_ms) == (200, START_MS + 1000)
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    assert [status for _, _, status in await told(world)] == ["held"] * 3 + ["dead", "delivered"]


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 100])
async def test_pages_of_any_size_make_the_same_list(
    world: World, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    await world.bucket(NAME)
    webhooks = [(await hook(world)).id for _ in range(3)]
    for number in range(8):
        await world.put(NAME, b"ab"[number % 2 : number % 2 + 1])
    monkeypatch.setattr(object_deliveries, "PAIRS_AT_ONCE", at_once)
    expected = [(sequence, webhook, "pending") for sequence in (7, 5, 3, 1) for webhook in sorted(webhooks)]
    for limit in (1, 2, 4, 1000):
        assert await told(world, limit=limit) == expected


async def test_what_came_before_a_webhook_was_not_told_to_it(world: World) -> None:
    await world.bucket(NAME)
    await world.put(NAME, b"a")
    webhook = await hook(world)
    await world.put(NAME, b"a")
    assert await told(world) == [(2, webhook.id, "pending")]


async def test_what_another_account_may_not_see(world: World) -> None:
    await world.bucket(NAME)
    await hook(world)
    await world.put(NAME, b"a")
    acme = Token("t", "", ("acme",), "write", 0)
    for token, name in ((acme, NAME), (ROOT, "lake1--pond1--none")):
        with pytest.raises(NoSuchBucket):
            await world.object_deliveries.page(token, name, b"a", PageRequest())


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    await world.bucket(NAME)
    with pytest.raises(InvalidInput):
        await world.object_deliveries.page(ROOT, NAME, b"a", PageRequest("nonsense"))


async def test_of_events_says_whose_each_delivery_is(world: World) -> None:
    bucket = await world.bucket(NAME)
    hooks = sorted([await hook(world), await hook(world)], key=lambda webhook: webhook.id)
    await hook(world, replace(NEW, events=("object:deleted",)))
    for _ in range(3):
        await world.put(NAME, b"a")
    await reach(world, hooks[0], bucket, 3)
    found = await world.object_deliveries.of_events(ROOT, NAME, [3, 1])
    assert [(one.delivery.id.sequence, one.webhook.id, one.delivery.status) for one in found] == [
        (sequence, webhook.id, status)
        for sequence in (3, 1)
        for webhook, status in ((hooks[0], "delivered"), (hooks[1], "pending"))
    ]
    assert await world.object_deliveries.of_events(ROOT, NAME, []) == []
    with pytest.raises(NoSuchBucket):
        await world.object_deliveries.of_events(Token("t", "t", ("other",), "read", 0), NAME, [1])


async def test_of_events_looks_at_a_bounded_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_deliveries, "PAIRS_AT_ONCE", 3)
    await world.bucket(NAME)
    await hook(world)
    await hook(world)
    for _ in range(3):
        await world.put(NAME, b"a")
    found = await world.object_deliveries.of_events(ROOT, NAME, [3, 2, 1])
    assert [one.delivery.id.sequence for one in found] == [3, 3, 2]
