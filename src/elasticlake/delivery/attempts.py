"""Attempts of events in a feed, and what follows from each: the next event may go, the lane is parked, the delivery is
dead."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.attempt import Result, Sender
from elasticlake.delivery.composer import Delivery, compose
from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.observer import Observer
from elasticlake.delivery.outcome import Verdict, attempt_record, judge
from elasticlake.delivery.pace import Permit
from elasticlake.metadata.deliveries import Counted, DeadDelivery
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook

_log = structlog.get_logger("delivery")


class Attempts:
    """Makes attempts. `schedule` is told when a lane's next one is due, `halt` of a webhook that must send no more, and
    `stop_webhook` disables it for the reason given."""

    def __init__(
        self,
        feeds: Feeds,
        ledger: Ledger,
        sender: Sender,
        observer: Observer,
        clock: Clock,
        chance: random.Random,
        schedule: Callable[[Feed, ParkedLane], None],
        halt: Callable[[Webhook], None],
        stop_webhook: Callable[[Webhook, str], Awaitable[None]],
    ) -> None:
        self._feeds = feeds
        self._ledger = ledger
        self._sender = sender
        self._observer = observer
        self._clock = clock
        self._chance = chance
        self._schedule = schedule
        self._halt = halt
        self._stop_webhook = stop_webhook
        self._failing: set[str] = set()

    async def first(self, webhook: Webhook, feed: Feed, event: Event, permit: Permit) -> None:
        """The first attempt of an event in the window."""
        verdict = await self._send(webhook, event, 1, permit)
        if self._feeds.get((feed.webhook_id, feed.bucket_id)) is not feed:
            return
        if verdict.next_attempt_at_ms is not None:
            lane = feed.park(event, 1, verdict.next_attempt_at_ms)
            self._ledger.lane_changed(feed, lane)
            self._schedule(feed, lane)
        else:
            feed.settle(event, verdict.counted)
            self._record_end(feed, event, 1, verdict)
        if verdict.disable is not None:
            await self._stop_webhook(webhook, verdict.disable)

    async def next(self, webhook: Webhook, feed: Feed, lane: ParkedLane, permit: Permit) -> None:
        """The next attempt of a parked lane's head."""
        event = await self._feeds.head_of(feed, lane)
        if event is None or event.type not in feed.event_types:
            # Retention took it, or its webhook no longer wants its kind.
            await self._end_head(feed, lane, "expired" if event is None else "canceled")
            return
        attempts = lane.attempts + 1
        verdict = await self._send(webhook, event, attempts, permit)
        if self._feeds.get((feed.webhook_id, feed.bucket_id)) is not feed:
            return
        if verdict.next_attempt_at_ms is not None:
            feed.retry(lane, attempts, verdict.next_attempt_at_ms)
            self._ledger.lane_changed(feed, lane)
            self._schedule(feed, lane)
        else:
            await self._end_head(feed, lane, verdict.counted)
            self._record_end(feed, event, attempts, verdict)
        if verdict.disable is not None:
            await self._stop_webhook(webhook, verdict.disable)

    async def _end_head(self, feed: Feed, lane: ParkedLane, outcome: Counted) -> None:
        """The lane's head is resolved: go on with its next event, or end the lane."""
        following = await self._feeds.following(feed, lane)
        feed.advance_lane(lane, outcome, following, self._clock.now_ms())
        self._ledger.lane_changed(feed, lane)
        if following is not None:
            self._schedule(feed, lane)

    def _record_end(self, feed: Feed, event: Event, attempts: int, verdict: Verdict) -> None:
        self._ledger.moved(feed)
        if verdict.status == "dead":
            now_ms = self._clock.now_ms()
            self._ledger.died(
                DeadDelivery(feed.webhook_id, feed.bucket_id, event.sequence, 0, event.key, attempts, now_ms)
            )

    async def _send(self, webhook: Webhook, event: Event, attempts: int, permit: Permit) -> Verdict:
        delivery = Delivery(webhook, event, DeliveryId(webhook.id, event.bucket_id, event.sequence))
        request, span = self._observer.begin(delivery, compose(delivery, attempts, self._clock.now_ms()))
        result = await self._sender.send(request)
        if result.succeeded:
            permit.succeeded()
        else:
            permit.failed(self._clock.monotonic())
        verdict = judge(webhook, attempts, result, self._clock.now_ms(), self._chance.random())
        if verdict.disable is not None:
            self._halt(webhook)
        self._ledger.attempted(attempt_record(delivery, attempts, request, result, verdict))
        self._observer.finish(span, delivery, attempts, result, verdict)
        self._note(delivery, attempts, result, verdict)
        return verdict

    def _note(self, delivery: Delivery, attempts: int, result: Result, verdict: Verdict) -> None:
        """Tell the operator when a webhook begins to fail, when it recovers, and of each delivery that is dead."""
        webhook_id = delivery.webhook.id
        if verdict.status == "delivered":
            if webhook_id in self._failing:
                self._failing.discard(webhook_id)
                _log.info("webhook recovered", webhook=webhook_id)
            return
        facts = {"webhook": webhook_id, "delivery": str(delivery.id), "attempt": attempts, "error": result.error}
        if verdict.status == "dead":
            _log.warning("delivery dead", error_class=result.error_class, **facts)
        elif webhook_id not in self._failing:
            self._failing.add(webhook_id)
            _log.warning("webhook failing", error_class=result.error_class, **facts)
