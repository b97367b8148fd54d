"""A webhook that fails without one success: its owner is told, then it is disabled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.unit.delivery.dispatching import Receiver, dispatching, eventually, listen, owning_ledger, receiving
from tests.unit.delivery.test_outcome import WEBHOOK
from tests.unit.world import ROOT, StillClock, World

from elasticlake.clock import SystemClock
from elasticlake.delivery.failing import DISABLE_AFTER_MS, NOTIFY_AFTER_MS, Failing
from elasticlake.metadata import failing_webhooks
from elasticlake.metadata.failing_webhooks import FailingWebhook
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook
from elasticlake.service.webhook_definitions import WebhookChange

HOOK = replace(WEBHOOK, id="wh_1")


async def failing_since_now(world: World) -> tuple[Failing, StillClock]:
    clock = StillClock()
    failing = Failing(await owning_ledger(world), clock)
    assert failing.failed(HOOK, "refused") is None
    return failing, clock


async def test_it_is_told_once_and_then_disabled(world: World) -> None:
    failing, clock = await failing_since_now(world)
    clock.time_ms += NOTIFY_AFTER_MS - 1
    assert failing.failed(HOOK, "refused") is None
    clock.time_ms += 1
    assert failing.failed(HOOK, "refused") == "notify"
    assert failing.failed(HOOK, "refused") is None
    clock.time_ms += DISABLE_AFTER_MS - NOTIFY_AFTER_MS - 1
    assert failing.failed(HOOK, "refused") is None
    clock.time_ms += 1
    assert failing.failed(HOOK, "refused") == "disable"


async def test_one_success_begins_anew(world: World) -> None:
    failing, clock = await failing_since_now(world)
    clock.time_ms += DISABLE_AFTER_MS - 1
    failing.succeeded(HOOK)
    clock.time_ms += 1
    assert failing.failed(HOOK, "refused") is None
    assert failing.since_ms(HOOK.id) == clock.time_ms


async def test_a_changed_webhook_begins_anew(world: World) -> None:
    failing, clock = await failing_since_now(world)
    clock.time_ms += DISABLE_AFTER_MS
    assert failing.failed(replace(HOOK, revision=2), "refused") is None


async def test_another_dispatcher_goes_on_counting(world: World) -> None:
    clock = StillClock()
    ledger = await owning_ledger(world)
    Failing(ledger, clock).failed(HOOK, "refused")
    await ledger.flush()
    known = await world.delivery.read(failing_webhooks.everyone)
    assert known == [FailingWebhook("wh_1", HOOK.revision, clock.time_ms, False, "refused")]
    successor = Failing(ledger, clock)
    successor.learn(known)
    clock.time_ms += DISABLE_AFTER_MS
    assert successor.failed(HOOK, "refused") == "disable"
    successor.succeeded(HOOK)
    await ledger.flush()
    assert await world.delivery.read(failing_webhooks.everyone) == []


async def test_the_last_error_is_known_and_written_only_where_it_is_another(world: World) -> None:
    clock = StillClock()
    ledger = await owning_ledger(world)
    failing = Failing(ledger, clock)
    for error in ("refused", "refused", "reset"):
        failing.failed(HOOK, error)
        clock.time_ms += 1
    await ledger.flush()
    (known,) = await world.delivery.read(failing_webhooks.everyone)
    assert (known.last_error, known.since_ms) == ("reset", clock.time_ms - 3)
    await world.delivery.write(lambda tx: failing_webhooks.forget(tx, HOOK.id))
    failing.failed(HOOK, "reset")
    await ledger.flush()
    assert await world.delivery.read(failing_webhooks.everyone) == []


async def long_failing(world: World, receiver: Receiver, age_ms: int) -> Webhook:
    """A webhook that has failed for so long, as an earlier dispatcher found."""
    webhook = await listen(world, receiver, retry_schedule_seconds=(1.0,))
    since_ms = SystemClock().now_ms() - age_ms
    failing = FailingWebhook(webhook.id, webhook.revision, since_ms, False)
    await world.delivery.write(lambda tx: failing_webhooks.put(tx, failing))
    return webhook


async def test_subscribers_are_told_of_a_webhook_that_is_disabled(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500
    webhook = await long_failing(world, receiver, DISABLE_AFTER_MS)
    async with receiving() as other, dispatching(world) as at_work:
        await listen(world, other, events=("webhook:disabled", "webhook:failing"))
        at_work.dispatcher.wake({})
        await world.put("bucket", b"key")
        at_work.dispatcher.wake({})
        told = await eventually(lambda: other.events)
        assert at_work.disabled == [(webhook.id, "failing")]
        assert (told[0]["event"], told[0]["webhook"]["id"]) == ("webhook:disabled", webhook.id)
        assert told[0]["webhook"]["disabledReason"] == "failing"
        assert told[0]["webhook"]["bucket"] == "bucket"


async def test_subscribers_are_warned_before(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500
    webhook = await long_failing(world, receiver, NOTIFY_AFTER_MS)
    async with receiving() as other, dispatching(world) as at_work:
        await listen(world, other, events=("webhook:failing",))
        await world.put("bucket", b"key")
        at_work.dispatcher.wake({})
        told = await eventually(lambda: other.events)
        assert (told[0]["event"], told[0]["webhook"]["id"]) == ("webhook:failing", webhook.id)
        assert at_work.disabled == []


async def test_a_receiver_may_ask_for_the_end(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 503
    receiver.answer_headers = {"webhook-delivery": "disable"}
    webhook = await listen(world, receiver)
    async with dispatching(world) as at_work:
        await world.put("bucket", b"key")
        at_work.dispatcher.wake({})
        await eventually(lambda: at_work.disabled)
        assert at_work.disabled == [(webhook.id, "receiverAskedToStop")]
        assert (await world.webhooks.get(ROOT, webhook.id)).disabled_reason == "receiverAskedToStop"


async def test_a_redelivery_whose_receiver_asks_for_the_end_is_dead(world: World, receiver: Receiver) -> None:
    """Nothing of the log's order depends on it, so it does not wait for the webhook's return."""
    await world.bucket("bucket")
    webhook = await listen(world, receiver)
    async with dispatching(world) as at_work:
        await world.put("bucket", b"key")
        at_work.dispatcher.wake({})
        await eventually(lambda: receiver.sequences == [1])
        receiver.answer = lambda before: 503
        receiver.answer_headers = {"webhook-delivery": "disable"}
        first = DeliveryId(webhook.id, webhook.scope.id, 1)
        again = await world.deliveries.redeliver(ROOT, str(first))
        at_work.dispatcher.wake({})
        await eventually(lambda: at_work.disabled)
        await at_work.ledger.flush()
        assert (await world.deliveries.get(ROOT, str(again.id))).delivery.status == "dead"
    assert receiver.sequences == [1, 1]


async def test_a_webhook_that_comes_back_is_judged_by_what_happened_meanwhile(world: World) -> None:
    failing, clock = await failing_since_now(world)
    failing.forget(HOOK.id)
    clock.time_ms += DISABLE_AFTER_MS
    failing.learn([])
    assert failing.failed(HOOK, "refused") is None


async def test_a_webhook_that_went_to_another_is_forgotten(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500
    webhook = await listen(world, receiver, retry_schedule_seconds=(60.0,))
    async with dispatching(world) as at_work:
        await world.put("bucket", b"key")
        at_work.dispatcher.wake({})
        await eventually(lambda: at_work.dispatcher._lookout._failing.since_ms(webhook.id))
        await at_work.dispatcher._belonging._drop([webhook.id])
        assert at_work.dispatcher._lookout._failing.since_ms(webhook.id) is None


async def test_a_redelivery_that_arrives_is_a_success(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500 if before == 0 else 200
    webhook = await listen(world, receiver, retry_schedule_seconds=(3600.0,))
    async with dispatching(world) as at_work:
        await world.put("bucket", b"key")
        at_work.dispatcher.wake({})
        await eventually(lambda: receiver.sequences == [1])
        await world.webhooks.test(ROOT, webhook.id)
        at_work.dispatcher.wake({})
        await eventually(lambda: len(receiver.events) == 2)
        await at_work.ledger.flush()
        await eventually(lambda: at_work.dispatcher._lookout._failing.since_ms(webhook.id) is None)


async def test_a_disabled_subscriber_is_told_nothing_more(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda before: 500
    watcher = await listen(world, receiver, events=("webhook:disabled",), retry_schedule_seconds=(0.5,) * 5)
    async with dispatching(world) as at_work:
        told = await listen(world, receiver)
        await at_work.dispatcher._stopping.stop(told, "gone")
        await eventually(lambda: receiver.events)
        await world.webhooks.change(ROOT, watcher.id, WebhookChange(status="disabled"))
        at_work.dispatcher.wake({})
        await asyncio.sleep(0.3)
        before = len(receiver.events)
        await asyncio.sleep(1.0)
        assert len(receiver.events) == before


async def test_keys_that_fail_hold_up_no_others(world: World, receiver: Receiver) -> None:
    """More of them in a row than a breaker takes for the endpoint's fault."""
    await world.bucket("bucket")
    receiver.answer = lambda _: 500 if receiver.events[-1]["object"]["key"].startswith("bad") else 200
    await listen(world, receiver, retry_schedule_seconds=(3600.0,))
    for number in range(60):
        await world.put("bucket", b"bad %d" % number)
    for number in range(10):
        await world.put("bucket", b"good %d" % number)
    async with dispatching(world):
        await eventually(
            lambda: len([one for one in receiver.events if one["object"]["key"].startswith("good")]) == 10, 60.0
        )


async def test_what_several_attempts_find_at_once_is_told_once(world: World, receiver: Receiver) -> None:
    await world.bucket("bucket")
    receiver.answer = lambda _: 410
    webhook = await listen(world, receiver)
    for number in range(5):
        await world.put("bucket", b"key %d" % number)
    async with receiving() as other, dispatching(world) as at_work:
        await listen(world, other, events=("webhook:disabled",))
        at_work.dispatcher.wake({})
        await eventually(lambda: other.events)
        # Redeliveries go to a disabled webhook, too: their verdict is no news.
        for sequence in (1, 2):
            await world.deliveries.redeliver(ROOT, str(DeliveryId(webhook.id, webhook.scope.id, sequence)))
        at_work.dispatcher.wake({})
        await eventually(lambda: len(receiver.events) >= 3)
        await asyncio.sleep(1.5)
        assert len(other.events) == 1
