"""Of a key's waiting events the latest alone is sent, and says for how many it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.simulation.receivers import make_event
from tests.unit.delivery.dispatching import Receiver, dispatching, eventually, listen
from tests.unit.world import ROOT, World

from elasticlake.delivery.coalescing import Following, coalesced
from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import Event, EventType
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook

UPDATED: EventType = "object:updated"
UPLOADED: EventType = "multipart:completed"


async def each(events: list[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


def events(*types: EventType) -> list[Event]:
    return [make_event(sequence, b"key", event_type) for sequence, event_type in enumerate(types, 1)]


@pytest.mark.parametrize(
    ("types", "sequence", "stands_for", "passed"),
    [
        ((UPDATED,), 1, 0, 0),
        ((UPDATED, UPDATED, UPDATED), 3, 2, 2),
        ((UPDATED, UPLOADED), 1, 0, 0),
        ((UPDATED, UPLOADED, UPDATED), 2, 0, 1),
        ((UPLOADED, UPDATED, UPLOADED, UPDATED, UPDATED), 3, 1, 2),
    ],
)
async def test_the_latest_of_each_kind_in_their_order(
    types: tuple[EventType, ...], sequence: int, stands_for: int, passed: int
) -> None:
    waiting = events(*types)
    assert await coalesced(each(waiting)) == Following(waiting[sequence - 1], stands_for, passed)


async def test_nothing_follows_nothing() -> None:
    assert await coalesced(each([])) == Following()


async def status(world: World, webhook: Webhook, sequence: int) -> str:
    delivery_id = str(DeliveryId(webhook.id, webhook.scope.id, sequence))
    return (await world.deliveries.get(ROOT, delivery_id)).delivery.status


async def is_delivered(world: World, webhook: Webhook, sequence: int) -> bool:
    return await status(world, webhook, sequence) == "delivered"


async def test_what_waits_behind_a_failure_is_one_delivery(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    # Every event fails at first.
    receiver.answer = lambda _: 500 if receiver.sequences.count(receiver.sequences[-1]) == 1 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=(1.0, 0.3), rules={"coalesce": True})
    async with dispatching(world) as running:
        await world.put("bucket", b"key")
        running.dispatcher.wake({})
        await eventually(lambda: receiver.sequences == [1])
        for _ in range(4):
            await world.put("bucket", b"key")
        await world.put("bucket", b"other")
        running.dispatcher.wake({})
        await eventually(lambda: 5 in receiver.sequences and receiver.sequences.count(5) == 2)
        sent = [event["sequence"] for event in receiver.events if event["object"]["key"] == "key"]
        assert sent == [1, 1, 5, 5]
        latest = [event for event in receiver.events if event["sequence"] == 5]
        assert latest[0] == latest[1]
        assert latest[0]["coalesced"] == 3
        assert all("coalesced" not in event for event in receiver.events if event["sequence"] != 5)
        # The receiver has answered; the dispatcher may have yet to hear it.
        await eventually(lambda: is_delivered(world, webhook, 5))
        found = [await status(world, webhook, sequence) for sequence in (1, 2, 5)]
        assert found == ["delivered", "coalesced", "delivered"]


async def test_only_with_the_order_of_keys(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    with pytest.raises(InvalidWebhook) as refused:
        await listen(world, receiver, ordering="bucket", rules={"coalesce": True})
    assert refused.value.field == "coalesce"
