"""Deliveries: their status from the log, positions, lanes, rows and history."""

import asyncio
from dataclasses import replace

import pytest
from tests.unit.world import ROOT, START_MS, World, attempt

from elasticlake.errors import EventsExpired, InvalidInput, NoSuchDelivery, NoSuchWebhook
from elasticlake.metadata import deliveries as rows
from elasticlake.metadata.attempt_search import Wanted
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Position
from elasticlake.model.accounts import Token
from elasticlake.model.ids import DeliveryId, new_webhook_id
from elasticlake.model.objects import Bucket
from elasticlake.model.webhooks import LISTED_STATUSES, ListedStatus, Webhook
from elasticlake.service import deliveries as service
from elasticlake.service import delivery_pages
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

NEW = NewWebhook(Place(bucket="bucket"), "https://myapp.com/hook", ("object:created", "object:updated"), secret="s")

ATTEMPTED = Wanted(since_ms=0)


async def begin(world: World, new: NewWebhook = NEW) -> tuple[Webhook, Bucket]:
    bucket = await world.bucket("bucket")
    return (await world.webhooks.create(ROOT, new))[0], bucket


async def reach(world: World, webhook: Webhook, bucket: Bucket, sequence: int) -> None:
    await world.delivery.write(lambda tx: rows.put_position(tx, Position(webhook.id, bucket.id, sequence)))


async def park(world: World, webhook: Webhook, bucket: Bucket, key: bytes, head: int, attempts: int = 2) -> None:
    lane = Lane(webhook.id, bucket.id, key, head, attempts, START_MS + 5000)
    await world.delivery.write(lambda tx: rows.put_lane(tx, lane))


async def status(world: World, webhook: Webhook, bucket: Bucket, sequence: int, generation: int = 0) -> str:
    delivery_id = str(DeliveryId(webhook.id, bucket.id, sequence, generation))
    return (await world.deliveries.get(ROOT, delivery_id)).delivery.status


async def listed(world: World, webhook: Webhook, wanted: ListedStatus | None, limit: int = 100) -> list[int]:
    """The sequences of every page, whatever the pages' sizes."""
    found, request = list[int](), PageRequest(limit=limit)
    while True:
        page = await world.deliveries.list(ROOT, webhook.id, wanted, request)
        assert len(page.items) <= limit
        assert wanted is None or {delivery.status for delivery in page.items} <= {wanted}
        found += [delivery.id.sequence for delivery in page.items]
        if page.next_cursor is None:
            return found
        request = PageRequest(page.next_cursor, limit)


async def test_the_position_parts_delivered_from_pending(world: World) -> None:
    webhook, bucket = await begin(world)
    for number in range(4):
        await world.put("bucket", b"%d" % number)
    assert await status(world, webhook, bucket, 1) == "pending"
    await reach(world, webhook, bucket, 2)
    assert [await status(world, webhook, bucket, n) for n in (1, 2, 3, 4)] == ["delivered"] * 2 + ["pending"] * 2
    delivery = (await world.deliveries.get(ROOT, str(DeliveryId(webhook.id, bucket.id, 3)))).delivery
    assert (delivery.bucket, delivery.event, delivery.key, delivery.kind) == ("bucket", "object:created", b"2", "event")
    assert (delivery.attempts, delivery.next_attempt_at_ms, delivery.last_attempt_at_ms) == (0, None, None)


async def test_a_lane_parts_retrying_from_held(world: World) -> None:
    webhook, bucket = await begin(world)
    for key in (b"a", b"a", b"b", b"a", b"a"):
        await world.put("bucket", key)
    await reach(world, webhook, bucket, 4)
    await park(world, webhook, bucket, b"a", 2)
    got = [await status(world, webhook, bucket, n) for n in range(1, 6)]
    assert got == ["delivered", "retrying", "delivered", "held", "held"]
    delivery = (await world.deliveries.get(ROOT, str(DeliveryId(webhook.id, bucket.id, 2)))).delivery
    assert (delivery.attempts, delivery.next_attempt_at_ms) == (2, START_MS + 5000)


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_what_a_disabled_webhook_had_begun_is_held_and_listed(world: World, limit: int) -> None:
    webhook, bucket = await begin(world)
    for key in (b"a", b"b", b"a", b"b", b"c", b"a"):
        await world.put("bucket", key)
    await reach(world, webhook, bucket, 5)
    for key, sequence in ((b"a", 1), (b"b", 2)):
        await park(world, webhook, bucket, key, sequence)
        world.record(replace(await world.attempt(webhook.id, bucket.id, sequence, status="retrying"), key=key))
    assert await listed(world, webhook, "retrying", limit) == [1, 2]
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="disabled"))
    assert [await status(world, webhook, bucket, n) for n in (1, 2, 3, 4, 6)] == ["held"] * 5
    assert await listed(world, webhook, "held", limit) == [1, 2, 3, 6, 4]
    assert await listed(world, webhook, "retrying", limit) == []
    assert await searched(world, webhook, "held", Wanted(key=b"a")) == [1, 3, 6]
    assert await searched(world, webhook, "held", Wanted(since_ms=0)) == [1, 2]


async def test_strict_order_holds_the_whole_bucket(world: World) -> None:
    webhook, bucket = await begin(world, replace(NEW, ordering="bucket"))
    for key in (b"a", b"b", b"c"):
        await world.put("bucket", key)
    await reach(world, webhook, bucket, 1)
    await park(world, webhook, bucket, b"", 1)
    assert [await status(world, webhook, bucket, n) for n in (1, 2, 3)] == ["retrying", "held", "held"]
    assert await listed(world, webhook, "held", 1) == [2, 3]


async def test_without_order_nothing_is_held(world: World) -> None:
    webhook, bucket = await begin(world, replace(NEW, ordering="none"))
    for _ in range(3):
        await world.put("bucket", b"a")
    await reach(world, webhook, bucket, 2)
    await park(world, webhook, bucket, b"a\x00" + (1).to_bytes(8, "big"), 1)
    assert [await status(world, webhook, bucket, n) for n in (1, 2, 3)] == ["retrying", "delivered", "pending"]
    assert await listed(world, webhook, "held") == []
    assert await listed(world, webhook, "retrying") == [1]


async def test_a_dead_row_says_dead(world: World) -> None:
    webhook, bucket = await begin(world)
    await world.put("bucket", b"a")
    await reach(world, webhook, bucket, 1)
    dead = DeadDelivery(webhook.id, bucket.id, 1, 0, b"a", 10, START_MS)
    await world.delivery.write(lambda tx: rows.put_dead(tx, dead))
    log = await world.deliveries.get(ROOT, str(DeliveryId(webhook.id, bucket.id, 1)))
    assert (log.delivery.status, log.delivery.attempts) == ("dead", 10)


async def test_resuming_from_now_gives_up_what_was_being_retried(world: World) -> None:
    webhook, bucket = await begin(world)
    for _ in range(3):
        await world.put("bucket", b"a")
    world.record(await world.attempt(webhook.id, bucket.id, 1))
    world.record(await world.attempt(webhook.id, bucket.id, 2, status="retrying"))
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(status="enabled", resume="now"))
    assert [await status(world, webhook, bucket, n) for n in (1, 2)] == ["delivered", "canceled"]
    with pytest.raises(NoSuchDelivery):
        await status(world, webhook, bucket, 3)


async def test_what_cannot_be_a_delivery(world: World) -> None:
    bucket = await world.bucket("bucket")
    await world.put("bucket", b"before")
    webhook = (await world.webhooks.create(ROOT, NEW))[0]
    other = await world.bucket("other")
    await world.put("other", b"elsewhere")
    await world.remove("bucket", b"before")
    impossible = [
        DeliveryId(webhook.id, bucket.id, 1),
        DeliveryId(webhook.id, other.id, 1),
        DeliveryId(webhook.id, bucket.id, 2),
        DeliveryId(webhook.id, bucket.id, 3),
        DeliveryId(webhook.id, bucket.id, 0),
        DeliveryId(webhook.id, bucket.id, 1, 1),
        DeliveryId(new_webhook_id(), bucket.id, 1),
        DeliveryId(webhook.id, 2**62, 2**62, 2**62),
    ]
    for text in ["", "dlv_", "dlv_é", "x", *map(str, impossible)]:
        with pytest.raises(NoSuchDelivery):
            await world.deliveries.get(ROOT, text)


async def test_another_accounts_deliveries_do_not_exist(world: World) -> None:
    webhook, bucket = await begin(world)
    await world.put("bucket", b"a")
    acme = Token("t", "", ("acme",), "write", 0)
    with pytest.raises(NoSuchDelivery):
        await world.deliveries.get(acme, str(DeliveryId(webhook.id, bucket.id, 1)))
    with pytest.raises(NoSuchWebhook):
        await world.deliveries.list(acme, webhook.id, None, PageRequest())


async def test_history_tells_of_attempts(world: World) -> None:
    webhook, bucket = await begin(world)
    await world.put("bucket", b"a")
    await reach(world, webhook, bucket, 1)
    world.record(
        await world.attempt(webhook.id, bucket.id, 1, 1, status="retrying"),
        await world.attempt(webhook.id, bucket.id, 1, 2, status="delivered"),
    )
    log = await world.deliveries.get(ROOT, str(DeliveryId(webhook.id, bucket.id, 1)))
    assert [one.attempt for one in log.attempts] == [1, 2]
    assert (log.delivery.attempts, log.delivery.last_attempt_at_ms) == (2, START_MS + 2000)


async def test_history_outlives_the_event(world: World) -> None:
    webhook, bucket = await begin(world)
    for _ in range(3):
        await world.put("bucket", b"a")
    world.record(attempt(webhook.id, bucket.id, 1), attempt(webhook.id, bucket.id, 2, status="retrying"))
    await reach(world, webhook, bucket, 3)
    await world.trim_log(bucket, 4)
    log = await world.deliveries.get(ROOT, str(DeliveryId(webhook.id, bucket.id, 1)))
    assert (log.delivery.status, log.delivery.event_id, log.delivery.key) == ("delivered", "evt_1", b"key")
    assert await status(world, webhook, bucket, 2) == "expired"
    with pytest.raises(NoSuchDelivery):
        await status(world, webhook, bucket, 3)
    with pytest.raises(EventsExpired) as caught:
        await world.deliveries.redeliver(ROOT, str(DeliveryId(webhook.id, bucket.id, 1)))
    assert caught.value.first_sequence == 4


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_lists_agree_with_each_delivery(world: World, limit: int) -> None:
    webhook, bucket = await begin(world)
    for key in (b"a", b"b", b"a", b"c", b"a", b"d", b"c"):
        await world.put("bucket", key)
    await world.remove("bucket", b"d")
    await reach(world, webhook, bucket, 5)
    await park(world, webhook, bucket, b"a", 1)
    dead = DeadDelivery(webhook.id, bucket.id, 2, 0, b"b", 10, START_MS)
    await world.delivery.write(lambda tx: rows.put_dead(tx, dead))
    world.record(
        await world.attempt(webhook.id, bucket.id, 1, 1, status="retrying"),
        await world.attempt(webhook.id, bucket.id, 2, 1, status="retrying"),
        await world.attempt(webhook.id, bucket.id, 1, 2, status="retrying"),
        await world.attempt(webhook.id, bucket.id, 2, 2, status="dead"),
        await world.attempt(webhook.id, bucket.id, 4),
    )
    expected: dict[ListedStatus, list[int]] = {
        "retrying": [1],
        "dead": [2],
        "held": [3, 5],
        "delivered": [4],
        "pending": [6, 7],
    }
    for wanted in LISTED_STATUSES:
        assert await listed(world, webhook, wanted, limit) == expected.get(wanted, []), wanted
    for wanted, sequences in expected.items():
        assert {await status(world, webhook, bucket, n) for n in sequences} == {wanted}
    assert await listed(world, webhook, None, limit) == [2, 1, 4]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_what_was_asked_for_and_given_up_is_listed_among_the_dead_until_its_event_arrives(
    world: World, limit: int
) -> None:
    """Whether the list is by rows, or by history as a search is."""
    webhook, bucket = await begin(world)
    await world.put("bucket", b"a")
    await reach(world, webhook, bucket, 1)
    test, first, second = (DeliveryId(webhook.id, bucket.id, *numbers) for numbers in ((0, 1), (1, 0), (1, 1)))

    def give_up(tx: Transaction) -> None:
        for one in (test, first, second):
            place = (one.webhook_id, one.bucket_id, one.sequence, one.generation)
            if one.generation:
                rows.put_requested(tx, rows.RequestedDelivery(*place, "dead", 10, START_MS, None))
            if one.sequence:
                rows.put_dead(tx, DeadDelivery(*place, b"a", 10, START_MS))

    await world.delivery.write(give_up)
    failed = await world.attempt(webhook.id, bucket.id, 1, 10, status="dead")
    failed = replace(failed, error_class="status", status_code=500)
    world.record(failed, replace(failed, generation=1), replace(failed, sequence=0, generation=1))

    async def dead(also: Wanted = service.ANYTHING) -> list[DeliveryId]:
        found, request = list[DeliveryId](), PageRequest(limit=limit)
        while True:
            page = await world.deliveries.list(ROOT, webhook.id, "dead", request, also)
            found += [delivery.id for delivery in page.items]
            if page.next_cursor is None:
                return found
            request = PageRequest(page.next_cursor, limit)

    assert await dead() == [test, second, first]
    assert set(await dead(ATTEMPTED)) == {test, second, first}
    await world.delivery.write(lambda tx: rows.delete_dead(tx, webhook.id, bucket.id, 1))
    assert await dead() == await dead(ATTEMPTED) == [test]
    for one in (first, second):
        delivery = (await world.deliveries.get(ROOT, str(one))).delivery
        assert (delivery.status, delivery.is_told_by_another) == ("delivered", True)


async def test_searches_agree_with_each_delivery(world: World) -> None:
    webhook, bucket = await begin(world)
    for key in (b"a", b"b", b"a", b"c", b"a", b"d", b"c"):
        await world.put("bucket", key)
    await reach(world, webhook, bucket, 5)
    await park(world, webhook, bucket, b"a", 1)
    dead = DeadDelivery(webhook.id, bucket.id, 2, 0, b"b", 10, START_MS)
    await world.delivery.write(lambda tx: rows.put_dead(tx, dead))
    for sequence, key, outcome in ((1, b"a", "retrying"), (2, b"b", "dead"), (4, b"c", "delivered")):
        world.record(replace(await world.attempt(webhook.id, bucket.id, sequence, status=outcome), key=key))
    expected: dict[ListedStatus | None, dict[bytes, list[int]]] = {
        "retrying": {b"a": [1]},
        "dead": {b"b": [2]},
        "held": {b"a": [3, 5]},
        "delivered": {b"c": [4]},
        "pending": {b"c": [7], b"d": [6]},
        None: {b"a": [1], b"b": [2], b"c": [4]},
    }
    updates = {3, 5, 7}
    for wanted, of_key in expected.items():
        for key in (b"a", b"b", b"c", b"d"):
            here = of_key.get(key, [])
            assert await searched(world, webhook, wanted, Wanted(key=key)) == here
            created = Wanted(key_prefix=key, event="object:created")
            assert await searched(world, webhook, wanted, created) == [one for one in here if one not in updates]


async def searched(world: World, webhook: Webhook, status: ListedStatus | None, also: Wanted) -> list[int]:
    page = await world.deliveries.list(ROOT, webhook.id, status, PageRequest(), also)
    return [delivery.id.sequence for delivery in page.items]


async def test_what_retention_took_is_listed_as_expired(world: World) -> None:
    webhook, bucket = await begin(world)
    for _ in range(3):
        await world.put("bucket", b"a")
    world.record(attempt(webhook.id, bucket.id, 1), attempt(webhook.id, bucket.id, 2, status="retrying"))
    await reach(world, webhook, bucket, 3)
    await world.trim_log(bucket, 4)
    assert await listed(world, webhook, "expired") == [2]


async def test_a_long_log_is_read_piece_by_piece(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_pages, "SCANNED_AT_ONCE", 3)
    monkeypatch.setattr(service, "_PIECES", 2)
    webhook, bucket = await begin(world)
    await world.webhooks.change(ROOT, webhook.id, WebhookChange(events=("object:deleted",)))
    for number in range(20):
        await world.put("bucket", b"%d" % (number % 2))
    await world.remove("bucket", b"0")
    assert await listed(world, webhook, "pending", 5) == [21]
    await reach(world, webhook, bucket, 21)
    await park(world, webhook, bucket, b"0", 1)
    assert await listed(world, webhook, "held", 5) == [21]


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "WyIiLDEsInp6IiwxLDFd", "WyIiLDEsIiIsMWUzMDAsMV0"])
async def test_a_foreign_cursor_is_refused(world: World, cursor: str) -> None:
    webhook, _ = await begin(world)
    for wanted in (None, *LISTED_STATUSES):
        with pytest.raises(InvalidInput) as caught:
            await world.deliveries.list(ROOT, webhook.id, wanted, PageRequest(cursor))
        assert caught.value.field == "cursor"


async def test_a_redelivery_is_a_delivery_of_its_own(world: World) -> None:
    webhook, bucket = await begin(world)
    await world.put("bucket", b"a")
    await reach(world, webhook, bucket, 1)
    woken = len(world.wakes)
    first = await world.deliveries.redeliver(ROOT, str(DeliveryId(webhook.id, bucket.id, 1)))
    second = await world.deliveries.redeliver(ROOT, str(first.id))
    assert (first.id.generation, second.id.generation, second.kind) == (1, 2, "redelivery")
    assert (first.status, first.event, first.key, first.next_attempt_at_ms) == (
        "pending",
        "object:created",
        b"a",
        world.clock.now_ms(),
    )
    assert len(world.wakes) == woken + 2
    page = await world.deliveries.list(ROOT, webhook.id, "pending", PageRequest())
    assert [delivery.id for delivery in page.items] == [first.id, second.id]
    assert await status(world, webhook, bucket, 1) == "delivered"


async def test_waiting_ends_with_the_delivery(world: World) -> None:
    webhook, bucket = await begin(world)
    test = await world.webhooks.test(ROOT, webhook.id)
    waiting = asyncio.create_task(world.deliveries.wait_for(ROOT, str(test), 30))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    world.record(attempt(webhook.id, bucket.id, 0, generation=1))
    names = (webhook.id, bucket.id, 0, 1)
    await world.delivery.write(
        lambda tx: rows.put_requested(tx, rows.RequestedDelivery(*names, "delivered", 1, START_MS, None))
    )
    async with asyncio.timeout(5):
        delivery = await waiting
    assert (delivery.status, delivery.kind, delivery.attempts) == ("delivered", "test", 1)
    assert delivery.last_attempt_at_ms == START_MS + 1000


async def test_waiting_ends_with_its_time_or_the_service(world: World) -> None:
    webhook, _ = await begin(world)
    test = str(await world.webhooks.test(ROOT, webhook.id))
    assert (await world.deliveries.wait_for(ROOT, test, 0)).status == "pending"
    waiting = asyncio.create_task(world.deliveries.wait_for(ROOT, test, 30))
    await asyncio.sleep(0.1)
    world.deliveries.close()
    async with asyncio.timeout(5):
        assert (await waiting).status == "pending"
