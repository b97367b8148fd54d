"""Deliveries that a person asked for: redeliveries and tests, outside the log's order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from functools import partial

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.attempt import Result
from elasticlake.delivery.composer import Delivery, test_event
from elasticlake.delivery.exchange import Exchange
from elasticlake.delivery.failing import Failing
from elasticlake.delivery.job_retries import JobRetries
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.outcome import STOPS, Verdict
from elasticlake.delivery.pace import Paces
from elasticlake.delivery.roster import Roster
from elasticlake.metadata import deliveries, events, operational_events, webhooks
from elasticlake.metadata.database import Database
from elasticlake.metadata.deliveries import DeadDelivery, RequestedDelivery
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.jobs import job_of
from elasticlake.model.webhooks import Webhook

MAX_IN_FLIGHT = 32
MAX_PER_WEBHOOK = 8
MAX_OF_JOBS_PER_WEBHOOK = 6
"""The rest of a webhook's share is for what people ask for."""
LOOKS = 4

_log = structlog.get_logger("delivery")


class RequestedDeliveries:
    """Sends what was asked for, when it is due."""

    def __init__(
        self,
        core: Database,
        state: Database,
        ledger: Ledger,
        exchange: Exchange,
        roster: Roster,
        membership: Membership,
        paces: Paces,
        failing: Failing,
        stop_webhook: Callable[[Webhook, str], Awaitable[None]],
        clock: Clock,
        retries: JobRetries,
    ) -> None:
        self._core = core
        self._state = state
        self._ledger = ledger
        self._exchange = exchange
        self._roster = roster
        self._membership = membership
        self._paces = paces
        self._failing = failing
        self._stop_webhook = stop_webhook
        self._clock = clock
        self._retries = retries
        self._in_flight: set[DeliveryId] = set()
        self._of_task: dict[asyncio.Task[None], str] = {}

    @property
    def webhooks(self) -> set[str]:
        """Whose requested deliveries are under way."""
        return set(self._of_task.values())

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """The attempts under way."""
        return set(self._of_task)

    async def abort(self, webhook_ids: Collection[str] | None = None) -> None:
        """End what is under way for these webhooks, or all, uncounted: it is due still."""
        tasks = [task for task, one in self._of_task.items() if webhook_ids is None or one in webhook_ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def start_due(self) -> None:
        """Begin an attempt of each requested delivery that is due, as far as there is room: no webhook has more of it
        than its share, and what waits for that hides nobody else's."""
        for _ in range(LOOKS):
            limit, crowded = MAX_IN_FLIGHT + len(self._in_flight), self._crowded()
            epoch, now_ms, under_way = self._membership.epoch, self._clock.now_ms(), set(self._in_flight)
            due = await self._state.read(
                lambda reader: deliveries.due_requested(reader, epoch, now_ms, limit, crowded),  # noqa: B023
                loose=True,
            )
            for requested in due:
                self._start(requested, under_way)
            if len(due) < limit or self._crowded() == crowded:
                return

    def _crowded(self) -> list[str]:
        """Webhooks that have their share under way."""
        counts = Counter(self._of_task.values())
        return sorted(webhook_id for webhook_id, count in counts.items() if count >= MAX_PER_WEBHOOK)

    def _start(self, requested: RequestedDelivery, under_way: set[DeliveryId]) -> None:
        delivery_id = requested.id
        # Those under way are still due, and first. What ended while we read is not due any more, whatever was read.
        has_room = delivery_id not in self._in_flight | under_way and len(self._in_flight) < MAX_IN_FLIGHT
        has_share = list(self._of_task.values()).count(requested.webhook_id) < MAX_PER_WEBHOOK
        if has_room and has_share and self._membership.may_send(requested.webhook_id):
            self._in_flight.add(delivery_id)
            task = asyncio.create_task(self._attempt(requested, delivery_id))
            self._of_task[task] = requested.webhook_id
            task.add_done_callback(self._of_task.pop)

    async def _attempt(self, requested: RequestedDelivery, delivery_id: DeliveryId) -> None:
        try:
            # As it is now: it may have been changed, or made, since the roster was read, and before this was asked for.
            webhook = await self._core.read(lambda reader: self._roster.read(reader, requested.webhook_id), loose=True)
            if webhook is not None and job_of(requested.generation) is not None:
                is_crowded = list(self._of_task.values()).count(webhook.id) > MAX_OF_JOBS_PER_WEBHOOK
                await self._retries.attempt(webhook, requested, is_crowded=is_crowded, send=self._send)
                await self._ledger.flush()
                return
            if webhook is not None and webhook.status != "enabled" and _is_told(delivery_id):
                # Nobody asked for this one: it goes to who wants it now.
                self._ledger.requested(requested._replace(status="canceled", next_attempt_at_ms=None))
                await self._ledger.flush()
                return
            event = await self._event(webhook, requested) if webhook is not None else None
            if webhook is None or event is None:
                self._ledger.requested(requested._replace(status="expired", next_attempt_at_ms=None))
            else:
                await self._send(Delivery(webhook, event, delivery_id), requested)
            await self._ledger.flush()
        except Exception as error:
            _log.error("requested delivery failed", delivery=str(delivery_id), exc_info=error)
        finally:
            self._in_flight.discard(delivery_id)

    async def _send(self, delivery: Delivery, requested: RequestedDelivery) -> None:
        attempts = requested.attempts + 1
        verdict = await self._exchange.make(delivery, attempts, partial(self._follow, delivery.webhook))
        self._ledger.requested(
            requested._replace(status=verdict.status, attempts=attempts, next_attempt_at_ms=verdict.next_attempt_at_ms)
        )
        place = (requested.webhook_id, requested.bucket_id, requested.sequence)
        if verdict.status == "delivered":
            self._ledger.revived(*place)
        elif verdict.status == "dead" and not delivery.is_test:
            now_ms = self._clock.now_ms()
            self._ledger.died(DeadDelivery(*place, requested.generation, delivery.event.key, attempts, now_ms))
        if verdict.disable in STOPS:
            await self._stop_webhook(delivery.webhook, verdict.disable)

    def _follow(self, webhook: Webhook, result: Result, verdict: Verdict) -> Verdict:
        if result.succeeded:
            # A person mended it and tried: the events that wait need not wait for a probe.
            self._paces.of(webhook).succeeded()
            self._failing.succeeded(webhook)
        if verdict.disable in STOPS:
            # Nothing of the log's order depends on it, so it does not wait for its webhook's return.
            return Verdict("dead", None, verdict.disable)
        return verdict

    async def _event(self, webhook: Webhook | None, requested: RequestedDelivery) -> Event | None:
        if requested.id.is_operational:
            return await self._state.read(lambda reader: operational_events.get(reader, requested.sequence))
        if requested.sequence > 0:
            return await self._core.read(lambda reader: events.get(reader, requested.bucket_id, requested.sequence))
        assert webhook is not None
        lake, pond, bucket = await self._core.read(lambda reader: webhooks.shown_place(reader, webhook.scope))
        return test_event(webhook, lake, pond, bucket, requested.requested_at_ms)


def _is_told(delivery_id: DeliveryId) -> bool:
    """Whether it tells of another webhook, and nobody asked for it."""
    return delivery_id.is_operational and delivery_id.is_first
