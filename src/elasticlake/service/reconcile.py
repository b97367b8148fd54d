"""What a webhook has not acknowledged: keys whose latest event waits, fails, or was given up.

It is found from what waits: parked lanes, dead deliveries, and the log beyond the position. So it costs what has not
arrived, not what is stored. Deliveries go on meanwhile: a list is true of each key at the moment it was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from elasticlake.metadata import buckets, deliveries, events, jobs, webhooks
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.deliveries import DeadDelivery
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.accounts import Token
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook
from elasticlake.record import record
from elasticlake.service.job_spans import place_in_scope
from elasticlake.service.pages import Page, PageRequest, bad_cursor, decode_cursor, encode_cursor
from elasticlake.service.selection import Selection, select
from elasticlake.service.webhooks import visible_webhook

State = Literal["pending", "retrying", "held", "dead"]

SCANNED_AT_ONCE = 1000
_PIECES = 20
_STAGES = ("lanes", "dead", "log")
_ENDLESS = 2**62


@record
class Unacknowledged:
    """A key's latest event that the webhook wants and has not taken. `held`: an earlier event of its lane fails.

    `event` is None where it is dead and the log no longer has it.
    """

    bucket: str
    key: bytes
    sequence: int
    event: Event | None
    state: State


class _Spot(NamedTuple):
    """How far a list has been read."""

    bucket_id: int = -1
    stage: int = 0
    sequence: int = 0
    key: bytes = b""

    def encode(self) -> str:
        return encode_cursor(self.bucket_id, self.stage, self.sequence, self.key.hex())


class _Piece(NamedTuple):
    found: list[Unacknowledged]
    next_spot: _Spot | None


class Reconciling:
    """Reads over the log (`core`) and what has become of deliveries (`state`)."""

    def __init__(self, core: Database, state: Database) -> None:
        self._core = core
        self._state = state

    async def page(
        self, token: Token, webhook_id: str, bucket: str | None, prefix: str, request: PageRequest
    ) -> Page[Unacknowledged]:
        """A page of what the webhook has not acknowledged, by bucket. It may be short and still have a next one.

        Raises `InvalidInput`, `NoSuchWebhook`, `NoSuchBucket`.
        """
        webhook = (await self._core.read(lambda reader: visible_webhook(reader, token, webhook_id))).webhook
        places = await self._core.read(lambda reader: _places(reader, token, webhook, bucket))
        places = await self._behind(webhook, places)
        looking = _Looking(self._core, self._state, webhook, prefix.encode())
        spot: _Spot | None = _decode(request.cursor) if request.cursor else _Spot()
        items: list[Unacknowledged] = []
        for _ in range(_PIECES):
            place = _next_place(places, spot) if spot is not None else None
            if place is None or len(items) >= request.limit:
                break
            assert spot is not None
            at = spot if spot.bucket_id == place.id else _Spot(place.id)
            piece = await looking.piece(place, at, request.limit - len(items))
            items += piece.found
            spot = piece.next_spot or _following(at)
        is_more = spot is not None and _next_place(places, spot) is not None
        return Page(items, spot.encode() if is_more and spot is not None else None)

    async def _behind(self, webhook: Webhook, places: list[BucketPlace]) -> list[BucketPlace]:
        """Those of the buckets in which anything has not arrived: a lake may have many others."""
        starts = await self._core.read(lambda reader: webhooks.starts(reader, webhook.id))

        def look(reader: Reader) -> tuple[dict[int, int], set[int]]:
            reached = {position.bucket_id: position.sequence for position in deliveries.positions(reader, webhook.id)}
            return reached, set(jobs.count_lanes(reader, webhook.id)) | set(jobs.count_dead(reader, webhook.id))

        reached, troubled = await self._state.read(look)
        return [
            place
            for place in places
            if place.id in troubled or place.sequence > max(starts.get(place.id, 0), reached.get(place.id, 0))
        ]


class _Looking:
    """One webhook's, within a prefix."""

    def __init__(self, core: Database, state: Database, webhook: Webhook, prefix: bytes) -> None:
        self._core = core
        self._state = state
        self._webhook = webhook
        self._prefix = prefix
        self._selection: Selection = select(webhook.events, webhook.rules)

    async def piece(self, place: BucketPlace, spot: _Spot, limit: int) -> _Piece:
        """What follows in the bucket; None as next spot ends the stage."""
        stage = _STAGES[spot.stage]
        if stage == "log":
            return await self._log(place, spot, limit)
        if stage == "dead":
            return await self._dead(place, spot, limit)
        # With `bucket` order there is one lane, and what it holds back is read from the log.
        return await self._lanes(place, spot, limit) if self._webhook.ordering != "bucket" else _Piece([], None)

    async def _lanes(self, place: BucketPlace, spot: _Spot, limit: int) -> _Piece:
        """Keys whose lane is parked; without an order, each event is a lane of its own."""
        start = spot.key + b"\x00" if spot.key else self._prefix
        rows = await self._state.read(
            lambda reader: jobs.parked_heads(reader, self._webhook.id, place.id, start, limit)
        )
        rows = [row for row in rows if row[0].startswith(self._prefix)]

        def look(reader: Reader) -> list[Unacknowledged | None]:
            return [self._parked(reader, place.id, head) for _, head in rows]

        found = await self._core.read(look)
        next_spot = spot._replace(key=rows[-1][0]) if len(rows) == limit else None
        return _Piece([one for one in found if one is not None], next_spot)

    def _parked(self, reader: Reader, bucket_id: int, head: int) -> Unacknowledged | None:
        event = events.get(reader, bucket_id, head)
        latest = self._latest(reader, event) if event is not None else None
        if latest is None:
            return None
        if latest.sequence == head:
            return _of(latest, "retrying")
        return _of(latest, "held") if self._webhook.ordering != "none" else None

    async def _dead(self, place: BucketPlace, spot: _Spot, limit: int) -> _Piece:
        """Keys whose latest event was given up."""
        rows = await self._state.read(
            lambda reader: deliveries.dead_events(reader, self._webhook.id, place.id, spot.sequence, limit)
        )

        def look(reader: Reader) -> list[Unacknowledged | None]:
            return [self._given_up(reader, dead) for dead in rows]

        found = [one for one in await self._core.read(look) if one is not None]
        return _Piece(found, spot._replace(sequence=rows[-1].sequence) if len(rows) == limit else None)

    def _given_up(self, reader: Reader, dead: DeadDelivery) -> Unacknowledged | None:
        event = events.get(reader, dead.bucket_id, dead.sequence)
        if event is not None:
            return _of(event, "dead") if self._is_latest(reader, event) else None
        if not dead.key.startswith(self._prefix):
            return None
        later = events.of_key(reader, dead.bucket_id, dead.key, dead.sequence, _ENDLESS, SCANNED_AT_ONCE)
        if any(self._selection.selects(event) for event in later):
            return None
        bucket = buckets.get_by_id(reader, dead.bucket_id)
        return Unacknowledged(bucket.name.name if bucket is not None else "", dead.key, dead.sequence, None, "dead")

    async def _log(self, place: BucketPlace, spot: _Spot, limit: int) -> _Piece:
        """Keys whose latest event lies beyond the position."""
        reached, parked = await self._reached(place.id)
        start = await self._core.read(lambda reader: webhooks.start(reader, self._webhook.id, place.id))
        after = max(spot.sequence, reached, start)

        def look(reader: Reader) -> tuple[list[Event], list[Event]]:
            rows = events.after(reader, place.id, after, SCANNED_AT_ONCE)
            return rows, [event for event in rows if self._is_latest(reader, event)]

        rows, latest = await self._core.read(look)
        if self._webhook.ordering == "key" and latest:
            latest = await self._without_lane(place.id, latest)
        found = [_of(event, _state(event, parked)) for event in latest[:limit]]
        if len(latest) > limit:
            return _Piece(found, spot._replace(sequence=latest[limit - 1].sequence))
        return _Piece(found, spot._replace(sequence=rows[-1].sequence) if len(rows) == SCANNED_AT_ONCE else None)

    async def _reached(self, bucket_id: int) -> tuple[int, int | None]:
        """Up to where the log is settled, and, where the whole bucket is one lane and that is parked, its head."""

        def look(reader: Reader) -> tuple[int, int | None]:
            position = deliveries.get_position(reader, self._webhook.id, bucket_id)
            lane = deliveries.get_lane(reader, self._webhook.id, bucket_id, b"")
            return position.sequence if position is not None else 0, lane.head_sequence if lane is not None else None

        reached, head = await self._state.read(look)
        if self._webhook.ordering != "bucket" or head is None:
            return reached, None
        return min(reached, head - 1), head

    async def _without_lane(self, bucket_id: int, found: list[Event]) -> list[Event]:
        """Those whose key's lane is not parked: the others have been listed with their lanes."""

        def look(reader: Reader) -> Mapping[bytes, bool]:
            names = (self._webhook.id, bucket_id)
            return {event.key: deliveries.get_lane(reader, *names, event.key) is None for event in found}

        is_free = await self._state.read(look)
        return [event for event in found if is_free[event.key]]

    def _is_latest(self, reader: Reader, event: Event) -> bool:
        """Whether it is wanted, and no later event of its key is."""
        if not event.key.startswith(self._prefix) or not self._selection.selects(event):
            return False
        return self._latest(reader, event) is event

    def _latest(self, reader: Reader, event: Event) -> Event | None:
        """The last event of the key, from this one on, that the webhook wants."""
        wanted = event if self._selection.selects(event) else None
        beyond = event.sequence
        while rows := events.of_key(reader, event.bucket_id, event.key, beyond, _ENDLESS, SCANNED_AT_ONCE):
            wanted = next((later for later in reversed(rows) if self._selection.selects(later)), wanted)
            beyond = rows[-1].sequence
        return wanted


def _of(event: Event, state: State) -> Unacknowledged:
    return Unacknowledged(event.bucket, event.key, event.sequence, event, state)


def _state(event: Event, parked_head: int | None) -> State:
    if parked_head is None:
        return "pending"
    return "retrying" if event.sequence == parked_head else "held"


def _places(reader: Reader, token: Token, webhook: Webhook, bucket: str | None) -> list[BucketPlace]:
    if bucket is not None:
        return [place_in_scope(reader, token, webhook, bucket)]
    scope = webhook.scope
    return sorted(webhooks.places_in_scope(reader, scope.kind, scope.id, webhook.account_id))


def _next_place(places: list[BucketPlace], spot: _Spot) -> BucketPlace | None:
    """The bucket to look at; behind its last stage, the one after it."""
    first = spot.bucket_id + (spot.stage >= len(_STAGES))
    return next((place for place in places if place.id >= first), None)


def _following(spot: _Spot) -> _Spot:
    return _Spot(spot.bucket_id, spot.stage + 1)


def _decode(cursor: str) -> _Spot:
    bucket_id, stage, sequence, key = decode_cursor(cursor, int, int, int, str)
    try:
        return _Spot(int(bucket_id), int(stage), int(sequence), bytes.fromhex(str(key)))
    except ValueError:
        raise bad_cursor() from None
