"""What a job sends, one attempt each; what fails becomes a delivery of its own, which is attempted again on the
webhook's schedule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from elasticlake.clock import Clock
from elasticlake.delivery.attempts import Attempts
from elasticlake.delivery.backfills import Backfills
from elasticlake.delivery.composer import Delivery
from elasticlake.delivery.feed import Feed
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.job_run import Item, JobRun
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.outcome import Verdict
from elasticlake.delivery.pace import Permit
from elasticlake.metadata.deliveries import DeadDelivery, RequestedDelivery
from elasticlake.metadata.jobs import Job
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId, derived_event_id
from elasticlake.model.webhooks import Webhook, lane_key

BUSY_SECONDS = 0.2
"""How long a backfill waits for earlier events of its key."""
PARKED_MS = 60_000
"""How long a backfill waits that an older event of its key, which fails, keeps from being sent."""


def replayed(job: Job, event: Event) -> Event:
    """The event as the job sends it: with an id of its own, if it is to be taken for a new one."""
    if not job.parameters.fresh_ids:
        return event
    return replace(event, id=derived_event_id(job.created_at_ms, job.id, event.id))


class JobAttempts:
    """Makes the attempts. `stop_webhook` disables a webhook for the reason given; `let_go` gives a feed its turn."""

    def __init__(
        self,
        feeds: Feeds,
        attempts: Attempts,
        backfills: Backfills,
        ledger: Ledger,
        clock: Clock,
        stop_webhook: Callable[[Webhook, str], Awaitable[None]],
        let_go: Callable[[Feed], None],
    ) -> None:
        self._feeds = feeds
        self._attempts = attempts
        self._backfills = backfills
        self._ledger = ledger
        self._clock = clock
        self._stop_webhook = stop_webhook
        self._let_go = let_go

    async def make(self, webhook: Webhook, run: JobRun, item: Item, permit: Permit) -> None:
        """The item's attempt, and what follows from it."""
        if run.job.kind == "backfill":
            await self._backfill(webhook, run, item, permit)
        else:
            await self._replay(webhook, run, item, permit)

    async def _replay(self, webhook: Webhook, run: JobRun, item: Item, permit: Permit) -> None:
        assert item.event is not None
        event = replayed(run.job, item.event)
        identity = DeliveryId(webhook.id, event.bucket_id, event.sequence, run.generation)
        verdict = await self._attempts.send(Delivery(webhook, event, identity, replay=run.job.id), 1, permit)
        if verdict.status == "delivered":
            await self._resolve(webhook, run, item)
        await self._follow(webhook, run, item, identity, verdict)

    async def _backfill(self, webhook: Webhook, run: JobRun, item: Item, permit: Permit) -> None:
        assert item.event is not None
        bucket_id, key = item.event.bucket_id, item.event.key
        async with self._backfills.telling(webhook, bucket_id, key, run.job.id) as told:
            if isinstance(told, Event):
                identity = DeliveryId(webhook.id, bucket_id, told.sequence, run.generation)
                verdict = await self._attempts.send(Delivery(webhook, told, identity, backfill=True), 1, permit)
                await self._follow(webhook, run, item, identity, verdict)
                return
        if run.job.parameters.rate_limit is not None:
            # Nothing was sent.
            run.next_at -= 1 / run.job.parameters.rate_limit
        if told == "busy":
            run.postpone(item, self._clock.monotonic() + BUSY_SECONDS)
        elif told == "told":
            run.settle(item, "skipped")
        else:
            identity = DeliveryId(webhook.id, bucket_id, item.event.sequence, run.generation)
            self._put_down(identity, "pending", 0, self._clock.now_ms() + PARKED_MS, key)
            run.settle(item, "failed")

    async def _follow(self, webhook: Webhook, run: JobRun, item: Item, identity: DeliveryId, verdict: Verdict) -> None:
        """Do for the item what the verdict says."""
        assert item.event is not None
        if verdict.status == "delivered":
            run.settle(item, "delivered")
        elif verdict.disable is not None and verdict.status == "retrying":
            # It goes when the webhook is enabled again.
            run.put_back(item)
        elif run.job.parameters.only == "retrying":
            # It is attempted again in its lane.
            self._put_down(identity, "canceled", 1, None, None)
            run.settle(item, "failed")
        else:
            key = item.event.key if run.job.kind == "backfill" else None
            self._put_down(identity, verdict.status, 1, verdict.next_attempt_at_ms, key)
            if verdict.status == "dead":
                place = (identity.webhook_id, identity.bucket_id, identity.sequence, identity.generation)
                self._ledger.died(DeadDelivery(*place, item.event.key, 1, self._clock.now_ms()))
            run.settle(item, "failed")
        if verdict.disable is not None:
            await self._stop_webhook(webhook, verdict.disable)

    def _put_down(
        self, identity: DeliveryId, status: str, attempts: int, next_attempt_at_ms: int | None, key: bytes | None
    ) -> None:
        place = (identity.webhook_id, identity.bucket_id, identity.sequence, identity.generation)
        now_ms = self._clock.now_ms()
        self._ledger.requested(RequestedDelivery(*place, status, attempts, now_ms, next_attempt_at_ms, key))

    async def _resolve(self, webhook: Webhook, run: JobRun, item: Item) -> None:
        """What had been given up, or was to be attempted again, has arrived."""
        assert item.event is not None
        event = item.event
        if item.is_dead:
            self._ledger.revived(webhook.id, event.bucket_id, event.sequence)
        feed = self._feeds.get((webhook.id, event.bucket_id))
        if run.job.parameters.only != "retrying" or feed is None:
            return
        lane = feed.lanes.get(lane_key(feed.ordering, event.key, event.sequence))
        if lane is None:
            return
        # Whatever closes feeds waits for those that are in use.
        feed.in_flight += 1
        try:
            await self._attempts.head_replayed(feed, lane, event.sequence)
        finally:
            feed.in_flight -= 1
            self._let_go(feed)
