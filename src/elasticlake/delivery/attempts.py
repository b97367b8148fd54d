"""Attempts of events in a feed, and what follows from each: the next event may go, the lane is parked, the delivery is
dead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.attempt import Result
from elasticlake.delivery.composer import Delivery
from elasticlake.delivery.exchange import Exchange
from elasticlake.delivery.failing import Failing
from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.outcome import Verdict
from elasticlake.delivery.pace import Permit
from elasticlake.metadata.deliveries import Counted, DeadDelivery
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook

FAILING = "failing"
"""Why a webhook is disabled that has failed for days without one success."""

_log = structlog.get_logger("delivery")


class Attempts:
    """Makes attempts. `schedule` is told when a lane's next one is due, `halt` of a webhook that must send no more;
    `stop_webhook` disables it for the reason given, and `notify` tells whoever asked that it will be disabled."""

    def __init__(
        self,
        feeds: Feeds,
        ledger: Ledger,
        exchange: Exchange,
        failing: Failing,
        clock: Clock,
        schedule: Callable[[Feed, ParkedLane], None],
        halt: Callable[[Webhook], None],
        stop_webhook: Callable[[Webhook, str], Awaitable[None]],
        notify: Callable[[Webhook], None],
    ) -> None:
        self._feeds = feeds
        self._ledger = ledger
        self._exchange = exchange
        self._failing = failing
        self._clock = clock
        self._schedule = schedule
        self._halt = halt
        self._stop_webhook = stop_webhook
        self._notify = notify

    async def first(self, webhook: Webhook, feed: Feed, event: Event, permit: Permit) -> None:
        """The first attempt of an event in the window."""
        also = feed.batches.get(event.sequence, ())
        verdict = await self._send(webhook, event, 1, permit, feed.absorbed.get(event.sequence, 0), also)
        if self._feeds.get((feed.webhook_id, feed.bucket_id)) is not feed:
            return
        if verdict.next_attempt_at_ms is not None:
            lane = feed.park(event, 1, verdict.next_attempt_at_ms)
            self._ledger.lane_changed(feed, lane)
            self._schedule(feed, lane)
        else:
            feed.settle(event, verdict.counted)
            self._record_end(feed, (event, *also), 1, verdict)
        if verdict.disable is not None:
            await self._stop_webhook(webhook, verdict.disable)

    async def next(self, webhook: Webhook, feed: Feed, lane: ParkedLane, permit: Permit) -> None:
        """The next attempt of a parked lane's head."""
        event = await self._feeds.head_of(feed, lane)
        if event is None or not feed.selection.selects(event):
            # Retention took it, or its webhook no longer wants it; what was to go with it goes by itself.
            lane.end_sequence = 0
            await self._end_head(feed, lane, "expired" if event is None else "canceled")
            return
        attempts = lane.attempts + 1
        also = await self._feeds.batch_of(feed, lane)
        verdict = await self._send(webhook, event, attempts, permit, lane.coalesced, also)
        if self._feeds.get((feed.webhook_id, feed.bucket_id)) is not feed:
            return
        if not _is_head(feed, lane, event.sequence):
            # A replay has delivered it meanwhile.
            pass
        elif verdict.next_attempt_at_ms is not None:
            feed.retry(lane, attempts, verdict.next_attempt_at_ms)
            self._ledger.lane_changed(feed, lane)
            self._schedule(feed, lane)
        else:
            await self._end_head(feed, lane, verdict.counted, 1 + len(also))
            self._record_end(feed, (event, *also), attempts, verdict)
        if verdict.disable is not None:
            await self._stop_webhook(webhook, verdict.disable)

    async def _end_head(self, feed: Feed, lane: ParkedLane, outcome: Counted, events: int = 1) -> None:
        """The lane's head is resolved, with so many events in all: go on with its next event, or end the lane."""
        sequence = lane.head_sequence
        following = await self._feeds.following(feed, lane)
        if not _is_head(feed, lane, sequence):
            return
        feed.advance_lane(lane, outcome, following, self._clock.now_ms(), events)
        self._ledger.lane_changed(feed, lane)
        if following.event is not None:
            self._schedule(feed, lane)

    async def head_replayed(self, feed: Feed, lane: ParkedLane, sequence: int) -> None:
        """A replay has delivered the event that the lane waits to send."""
        if _is_head(feed, lane, sequence):
            # What was to go in one request with it goes by itself.
            lane.end_sequence = 0
            await self._end_head(feed, lane, "delivered")

    def _record_end(self, feed: Feed, ended: Iterable[Event], attempts: int, verdict: Verdict) -> None:
        self._ledger.moved(feed)
        if verdict.status == "dead":
            now_ms = self._clock.now_ms()
            for event in ended:
                self._ledger.died(
                    DeadDelivery(feed.webhook_id, feed.bucket_id, event.sequence, 0, event.key, attempts, now_ms)
                )

    async def _send(
        self, webhook: Webhook, event: Event, attempts: int, permit: Permit, coalesced: int, also: tuple[Event, ...]
    ) -> Verdict:
        identity = DeliveryId(webhook.id, event.bucket_id, event.sequence)
        return await self.send(Delivery(webhook, event, identity, coalesced=coalesced, also=also), attempts, permit)

    async def send(self, delivery: Delivery, attempts: int, permit: Permit) -> Verdict:
        """Make the delivery's n-th attempt, and remember what it says of the webhook; what follows for the delivery is
        the caller's to do, and so is stopping the webhook where the verdict says so."""

        def follow(result: Result, verdict: Verdict) -> Verdict:
            if result.succeeded:
                permit.succeeded()
            else:
                permit.failed(self._clock.monotonic(), result.status_code)
            noted = self._note(delivery, attempts, result, verdict)
            if noted.disable is not None:
                self._halt(delivery.webhook)
            return noted

        return await self._exchange.make(delivery, attempts, follow)

    def _note(self, delivery: Delivery, attempts: int, result: Result, verdict: Verdict) -> Verdict:
        """What the attempt means for the webhook as a whole; each dead delivery is told to the operator."""
        webhook = delivery.webhook
        if verdict.status == "delivered":
            self._failing.succeeded(webhook)
            return verdict
        if verdict.status == "dead":
            facts = {"webhook": webhook.id, "delivery": str(delivery.id), "attempt": attempts, "error": result.error}
            _log.warning("delivery dead", error_class=result.error_class, **facts)
        consequence = self._failing.failed(webhook, result.error)
        if consequence == "notify":
            self._notify(webhook)
        if consequence == "disable" and verdict.disable is None:
            return replace(verdict, disable=FAILING)
        return verdict


def _is_head(feed: Feed, lane: ParkedLane, sequence: int) -> bool:
    """Whether the lane still waits to send that event."""
    return feed.lanes.get(lane.key) is lane and lane.head_sequence == sequence
