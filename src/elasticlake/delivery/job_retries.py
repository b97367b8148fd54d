"""What a job could not deliver, attempted again: as the job would send it now, and no faster than the webhook bears."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from elasticlake.clock import Clock
from elasticlake.delivery.backfills import Backfills
from elasticlake.delivery.composer import Delivery
from elasticlake.delivery.job_attempts import PARKED_MS, replayed
from elasticlake.delivery.ledger import Ledger
from elasticlake.metadata import events, jobs
from elasticlake.metadata.database import Database
from elasticlake.metadata.deliveries import RequestedDelivery
from elasticlake.metadata.jobs import Job
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.jobs import job_of
from elasticlake.model.webhooks import Webhook

DISABLED_MS = 60_000
BUSY_MS = 1000

Send = Callable[[Delivery, RequestedDelivery], Awaitable[None]]


class JobRetries:
    """Attempts, or puts off, one delivery at a time. What is put off is not due meanwhile, so that it hides nothing
    that is."""

    def __init__(
        self,
        core: Database,
        state: Database,
        backfills: Backfills,
        ledger: Ledger,
        clock: Clock,
        wait_seconds: Callable[[Webhook], float | None],
    ) -> None:
        self._core = core
        self._state = state
        self._backfills = backfills
        self._ledger = ledger
        self._clock = clock
        self._wait_seconds = wait_seconds

    async def attempt(self, webhook: Webhook, requested: RequestedDelivery, *, is_crowded: bool, send: Send) -> None:
        """The delivery's next attempt, unless the webhook has enough under way (`is_crowded`) or may not send."""
        if webhook.status != "enabled":
            return self._put_off(requested, DISABLED_MS)
        if is_crowded or self._wait_seconds(webhook) != 0:
            return self._put_off(requested, BUSY_MS)
        job = await self._job(requested)
        if job is None or job.status == "canceled":
            return self._end(requested, "expired" if job is None else "canceled")
        if job.kind == "backfill":
            return await self._backfill(webhook, requested, job, send)
        event = await self._core.read(lambda reader: events.get(reader, requested.bucket_id, requested.sequence))
        if event is None:
            return self._end(requested, "expired")
        await send(Delivery(webhook, replayed(job, event), _identity(requested), replay=job.id), requested)

    async def _backfill(self, webhook: Webhook, requested: RequestedDelivery, job: Job, send: Send) -> None:
        assert requested.key is not None
        async with self._backfills.telling(webhook, requested.bucket_id, requested.key, job.id) as told:
            if isinstance(told, Event):
                await send(Delivery(webhook, told, _identity(requested), backfill=True), requested)
            elif told == "told":
                self._end(requested, "canceled")
            else:
                self._put_off(requested, PARKED_MS if told == "parked" else BUSY_MS)

    async def _job(self, requested: RequestedDelivery) -> Job | None:
        named = job_of(requested.generation)
        assert named is not None
        return await self._state.read(lambda reader: jobs.numbered(reader, requested.webhook_id, named[0]))

    def _put_off(self, requested: RequestedDelivery, by_ms: int) -> None:
        self._ledger.requested(requested._replace(next_attempt_at_ms=self._clock.now_ms() + by_ms))

    def _end(self, requested: RequestedDelivery, status: str) -> None:
        self._ledger.requested(requested._replace(status=status, next_attempt_at_ms=None))


def _identity(requested: RequestedDelivery) -> DeliveryId:
    return DeliveryId(requested.webhook_id, requested.bucket_id, requested.sequence, requested.generation)
