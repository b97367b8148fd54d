"""Operations on deliveries: see them, wait for one, send one again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from elasticlake.clock import Clock
from elasticlake.errors import EventsExpired, NoSuchDelivery, NoSuchWebhook
from elasticlake.metadata import buckets, deliveries, events, operational_events, webhooks
from elasticlake.metadata.attempt_search import Wanted
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.deliveries import DeadDelivery, Lane, RequestedDelivery
from elasticlake.metadata.history import Attempt, History
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.accounts import Token
from elasticlake.model.activity import Done
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.jobs import job_of
from elasticlake.model.webhooks import ListedStatus, Webhook, lane_key
from elasticlake.service import delivery_pages
from elasticlake.service.activity import note_after
from elasticlake.service.delivery_pages import Piece, Spot
from elasticlake.service.delivery_status import Delivery, Facts, describe
from elasticlake.service.pages import Page, PageRequest
from elasticlake.service.webhooks import request_delivery, visible_webhook

T = TypeVar("T")

MAX_WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05
# Attempts are written beside the outcomes, and some after them: a wait for an outcome gives them 2 s to be seen too.
HISTORY_POLLS = 40
# Pieces that a page may be gathered from.
_PIECES = 10
ANYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class DeliveryLog:
    """A delivery and every kept attempt of it, in order."""

    delivery: Delivery
    attempts: list[Attempt]


@dataclass(frozen=True, slots=True)
class _Logged:
    """What the objects' database knows of a delivery."""

    bucket: str | None
    place: BucketPlace | None
    start: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class _Settled:
    """What the dispatcher's database knows of a delivery."""

    position: int
    lane: Lane | None
    dead: DeadDelivery | None
    requested: RequestedDelivery | None
    told: Event | None
    """The operational event, which is in no bucket's log."""


class Deliveries:
    """The delivery operations: over the log (`core`), the dispatcher's state (`delivery`), the history of attempts."""

    def __init__(
        self, core: Database, delivery: Database, history: History, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._core = core
        self._delivery = delivery
        self._history = history
        self._history_lock = asyncio.Lock()
        self._clock = clock
        self._wake = wake
        self._closed = False

    async def get(self, token: Token, delivery_id: str) -> DeliveryLog:
        """The delivery and its attempts, of which none announces another once it has ended; raises
        `NoSuchDelivery`."""
        parsed = DeliveryId.parse(delivery_id)
        delivery = await self._require(await self._webhook(token, parsed), parsed)
        attempts = await self._ask_history(
            lambda history: history.of_delivery(parsed.webhook_id, parsed.bucket_id, parsed.sequence, parsed.generation)
        )
        if delivery.is_final:
            attempts = [replace(one, next_attempt_at_ms=None) for one in attempts]
        if job_of(parsed.generation) is not None:
            return DeliveryLog(delivery, attempts)
        return DeliveryLog(delivery, [one for one in attempts if delivery.event_id in (None, one.event_id)])

    async def redeliver(self, token: Token, delivery_id: str) -> Delivery:
        """Send a delivery again, out of order and at once; returns the new one.

        Raises `NoSuchDelivery`, and `EventsExpired` if the log no longer has its event.
        """
        parsed = DeliveryId.parse(delivery_id)
        webhook = await self._webhook(token, parsed)
        await self._require(webhook, parsed)
        if parsed.is_operational:
            await self._delivery.read(lambda reader: _require_told(reader, parsed))
        elif parsed.sequence > 0:
            await self._core.read(lambda reader: _require_event(reader, parsed))
        now_ms = self._clock.now_ms()
        made = await self._delivery.write(
            lambda tx: request_delivery(tx, webhook.id, parsed.bucket_id, parsed.sequence, now_ms)
        )
        self._wake()
        again = await self._require(webhook, made)
        about = {"webhook": webhook.id, "of": delivery_id}
        done = Done("delivery:redelivered", str(made), webhook.account_id, again.bucket, about)
        await note_after(self._core, token.actor, now_ms, done)
        return again

    async def wait_for(self, token: Token, delivery_id: str, seconds: float) -> Delivery:
        """The delivery once it has ended, or as it stands after `seconds` (at most 60); raises `NoSuchDelivery`."""
        parsed = DeliveryId.parse(delivery_id)
        webhook = await self._webhook(token, parsed)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(seconds, MAX_WAIT_SECONDS)
        polls_left = HISTORY_POLLS
        while True:
            delivery = await self._require(webhook, parsed)
            if delivery.is_final:
                polls_left -= 1
                if polls_left <= 0 or delivery.last_attempt_at_ms is not None:
                    return delivery
            if loop.time() >= deadline or self._closed:
                return delivery
            await asyncio.sleep(POLL_SECONDS)

    @property
    def is_closed(self) -> bool:
        """Whether the server stops: who looks again and again ends."""
        return self._closed

    def close(self) -> None:
        """End the waits, so that a server that stops need not wait for them."""
        self._closed = True

    async def _webhook(self, token: Token, delivery_id: DeliveryId) -> Webhook:
        try:
            stored = await self._core.read(lambda reader: visible_webhook(reader, token, delivery_id.webhook_id))
        except NoSuchWebhook:
            raise NoSuchDelivery from None
        return stored.webhook

    async def _require(self, webhook: Webhook, delivery_id: DeliveryId) -> Delivery:
        delivery = (await self.described([(webhook, delivery_id)]))[0]
        if delivery is None:
            raise NoSuchDelivery
        return delivery

    async def described(self, wanted: Sequence[tuple[Webhook, DeliveryId]]) -> list[Delivery | None]:
        """Each of them as it stands, in the same order; None for one that does not exist."""
        lasts = await self._ask_history(
            lambda history: [
                history.last_attempt(one.webhook_id, one.bucket_id, one.sequence, one.generation) for _, one in wanted
            ]
        )
        logged = await self._core.read(lambda reader: [_logged(reader, webhook, one) for webhook, one in wanted])
        keys = [
            at.event.key if at.event is not None else last[1].key if last is not None else None
            for at, last in zip(logged, lasts, strict=True)
        ]
        settled = await self._delivery.read(
            lambda reader: [_settled(reader, *pair, key) for pair, key in zip(wanted, keys, strict=True)]
        )
        described: list[Delivery | None] = []
        for (webhook, one), at, state, last in zip(wanted, logged, settled, lasts, strict=True):
            event = at.event or state.told
            attempt = _of_its_event(one, last[1] if last is not None else None, event)
            described.append(describe(webhook, one, _facts(at, state, event, attempt)))
            if webhook.rules.where is not None:
                # The expression may have taken a while: all else has its turn before the next.
                await asyncio.sleep(0)
        return described

    async def _piece(self, webhook: Webhook, wanted: Wanted, after: Spot, limit: int) -> Piece:
        status = wanted.status
        if status == "held":
            return await self._held(webhook, wanted, after, limit)
        if status == "pending":
            return await self._not_begun(webhook, wanted, after, limit)
        if not wanted.is_narrow and status == "dead":
            return await self._dead(webhook, after, limit)
        if not wanted.is_narrow and status == "retrying":
            return await self._retrying(webhook, after, limit)
        # What was begun and then given up was to be tried again, as far as history knows.
        sought = replace(wanted, status="retrying") if status in ("canceled", "expired") else wanted
        return await self._ask_history(
            lambda history: delivery_pages.attempted(history, webhook.id, sought, after, limit)
        )

    async def _held(self, webhook: Webhook, wanted: Wanted, after: Spot, limit: int) -> Piece:
        """Behind what is being retried; and that itself, where the webhook is disabled."""
        if webhook.status == "disabled" and after.stage != "log":
            piece = await self._lane_heads(webhook, after, limit)
            return piece if piece.next_spot is not None else Piece(piece.found, Spot("log"))
        if wanted.is_of_attempts:
            # What waits for its first attempt has had none.
            return Piece([], None)
        lanes = await self._delivery.read(lambda reader: deliveries.lanes(reader, webhook.id))
        return _staged(
            await self._core.read(
                lambda reader: delivery_pages.behind_heads(reader, webhook, lanes, wanted, after, limit)
            )
        )

    async def _not_begun(self, webhook: Webhook, wanted: Wanted, after: Spot, limit: int) -> Piece:
        if wanted.is_of_attempts:
            return Piece([], None)
        if after.stage != "log":
            return await self._asked_for(webhook, "pending", after, limit)
        return _staged(await self._pending(webhook, wanted, after, limit))

    async def _dead(self, webhook: Webhook, after: Spot, limit: int) -> Piece:
        if after.stage != "log":
            return await self._asked_for(webhook, "dead", after, limit)
        return _staged(await self._delivery.read(lambda reader: delivery_pages.dead(reader, webhook.id, after, limit)))

    async def _retrying(self, webhook: Webhook, after: Spot, limit: int) -> Piece:
        if after.stage != "log":
            return await self._asked_for(webhook, "retrying", after, limit)
        return _staged(await self._lane_heads(webhook, after, limit))

    async def _lane_heads(self, webhook: Webhook, after: Spot, limit: int) -> Piece:
        return await self._delivery.read(lambda reader: delivery_pages.lane_heads(reader, webhook.id, after, limit))

    async def _asked_for(self, webhook: Webhook, status: ListedStatus, after: Spot, limit: int) -> Piece:
        """Redeliveries and tests; what the log knows comes after them."""
        piece = await self._delivery.read(
            lambda reader: delivery_pages.requested(reader, webhook.id, status, after, limit)
        )
        return piece if piece.next_spot is not None else Piece(piece.found, Spot("log"))

    async def _pending(self, webhook: Webhook, wanted: Wanted, after: Spot, limit: int) -> Piece:
        positions = await self._delivery.read(lambda reader: deliveries.positions(reader, webhook.id))
        reached = {position.bucket_id: position.sequence for position in positions}
        return await self._core.read(
            lambda reader: delivery_pages.behind_positions(reader, webhook, reached, wanted, after, limit)
        )

    async def _ask_history(self, question: Callable[[History], T]) -> T:
        """History may be large and on a slow disk: it is read in a thread, by one at a time."""
        async with self._history_lock:
            return await asyncio.to_thread(question, self._history)

    async def list(
        self,
        token: Token,
        webhook_id: str,
        status: ListedStatus | None,
        request: PageRequest,
        also: Wanted = ANYTHING,
    ) -> Page[Delivery]:
        """A webhook's deliveries of one status; without one, everything that was attempted, newest first.

        `also` says what else they must be, by their event and their last attempt. A page may hold fewer than `limit`
        and still have a next one: each looks at a bounded piece of the log, or of the history. Raises `NoSuchWebhook`.
        """
        webhook = (await self._core.read(lambda reader: visible_webhook(reader, token, webhook_id))).webhook
        wanted = replace(also, status=status)
        spot: Spot | None = Spot.decode(request.cursor) if request.cursor else Spot()
        items: list[Delivery] = []
        for _ in range(_PIECES):
            if spot is None or len(items) >= request.limit:
                break
            piece = await self._piece(webhook, wanted, spot, request.limit - len(items))
            described = await self.described([(webhook, one) for one in piece.found])
            items += [delivery for delivery in described if delivery and _is_wanted(delivery, wanted)]
            spot = piece.next_spot
        return Page(items, spot.encode() if spot is not None else None)


def _is_wanted(delivery: Delivery, wanted: Wanted) -> bool:
    return (
        wanted.status in (None, delivery.status)
        and wanted.takes_event(delivery.event, delivery.key)
        and wanted.takes_attempt(delivery.last_attempt_at_ms, delivery.last_status_code)
    )


def _of_its_event(delivery_id: DeliveryId, last: Attempt | None, event: Event | None) -> Attempt | None:
    """The attempt, unless it sent another event: after a restore, sequences that history knows come again."""
    if job_of(delivery_id.generation) is not None:
        return last
    return None if last is not None and event is not None and last.event_id != event.id else last


def _staged(piece: Piece) -> Piece:
    return Piece(piece.found, piece.next_spot._replace(stage="log") if piece.next_spot is not None else None)


def _require_event(reader: Reader, delivery_id: DeliveryId) -> None:
    if events.get(reader, delivery_id.bucket_id, delivery_id.sequence) is None:
        raise EventsExpired(buckets.first_sequence(reader, delivery_id.bucket_id))


def _require_told(reader: Reader, delivery_id: DeliveryId) -> None:
    if operational_events.get(reader, delivery_id.sequence) is None:
        raise EventsExpired(operational_events.first_sequence(reader))


def _logged(reader: Reader, webhook: Webhook, delivery_id: DeliveryId) -> _Logged:
    bucket = buckets.get_by_id(reader, delivery_id.bucket_id)
    return _Logged(
        bucket=bucket.name.name if bucket is not None else None,
        place=webhooks.place(reader, delivery_id.bucket_id),
        start=webhooks.start(reader, webhook.id, delivery_id.bucket_id),
        event=events.get(reader, delivery_id.bucket_id, delivery_id.sequence),
    )


def _settled(reader: Reader, webhook: Webhook, delivery_id: DeliveryId, key: bytes | None) -> _Settled:
    names = (delivery_id.webhook_id, delivery_id.bucket_id)
    numbers = (delivery_id.sequence, delivery_id.generation)
    position = deliveries.get_position(reader, *names)
    lane = None
    if key is not None and delivery_id.generation == 0:
        lane = deliveries.get_lane(reader, *names, lane_key(webhook.ordering, key, delivery_id.sequence))
    return _Settled(
        position=position.sequence if position is not None else 0,
        lane=lane,
        dead=deliveries.get_dead(reader, *names, *numbers),
        requested=deliveries.get_requested(reader, *names, *numbers) if delivery_id.generation else None,
        told=operational_events.get(reader, delivery_id.sequence) if delivery_id.is_operational else None,
    )


def _facts(logged: _Logged, settled: _Settled, event: Event | None, last: Attempt | None) -> Facts:
    return Facts(
        bucket=logged.bucket,
        place=logged.place,
        start=logged.start,
        position=settled.position,
        event=event,
        lane=settled.lane,
        dead=settled.dead,
        requested=settled.requested,
        last=last,
    )
