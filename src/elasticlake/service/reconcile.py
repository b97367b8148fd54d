"""What a webhook has not acknowledged: keys whose latest event waits, fails, or was given up.

It is found from what waits: parked lanes, dead deliveries, and the log beyond the position. So it costs what has not
arrived, not what is stored. Deliveries go on meanwhile: a list is true of each key at the moment it was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from elasticlake.metadata import buckets, deliveries, jobs, webhooks
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.deliveries import DeadDelivery
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.accounts import Token
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook
from elasticlake.record import record
from elasticlake.service.job_spans import place_in_scope
from elasticlake.service.latest_wanted import PIECE_ROWS, LatestWanted
from elasticlake.service.pages import Page, PageRequest, bad_cursor, decode_cursor, encode_cursor
from elasticlake.service.selection import select
from elasticlake.service.webhooks import visible_webhook

State = Literal["pending", "retrying", "held", "dead"]

_BATCH = 1000
_PIECES = 20
_STAGES = ("lanes", "dead", "log")


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
            if place is None or len(items) >= request.limit or looking.latest.is_spent:
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
        self.latest = LatestWanted(core, select(webhook.events, webhook.rules))

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
        found: list[Unacknowledged] = []
        for key, head in rows:
            one = await self._parked(place.id, head)
            found += [one] if one is not None else []
            if self.latest.is_spent:
                return _Piece(found, spot._replace(key=key))
        return _Piece(found, spot._replace(key=rows[-1][0]) if len(rows) == limit else None)

    async def _parked(self, bucket_id: int, head: int) -> Unacknowledged | None:
        event = await self.latest.event(bucket_id, head)
        if event is None:
            return None
        later = await self.latest.beyond(bucket_id, event.key, head)
        if later is not None:
            return _of(later, "held") if self._webhook.ordering != "none" else None
        return _of(event, "retrying") if await self.latest.wants(event) else None

    async def _dead(self, place: BucketPlace, spot: _Spot, limit: int) -> _Piece:
        """Keys whose latest event was given up."""
        rows = await self._state.read(
            lambda reader: deliveries.dead_events(reader, self._webhook.id, place.id, spot.sequence, limit)
        )
        found: list[Unacknowledged] = []
        for dead in rows:
            one = await self._given_up(dead)
            found += [one] if one is not None else []
            if self.latest.is_spent:
                return _Piece(found, spot._replace(sequence=dead.sequence))
        return _Piece(found, spot._replace(sequence=rows[-1].sequence) if len(rows) == limit else None)

    async def _given_up(self, dead: DeadDelivery) -> Unacknowledged | None:
        if not dead.key.startswith(self._prefix):
            return None
        event = await self.latest.event(dead.bucket_id, dead.sequence)
        if event is not None and not await self.latest.wants(event):
            return None
        if await self.latest.beyond(dead.bucket_id, dead.key, dead.sequence) is not None:
            return None
        if event is not None:
            return _of(event, "dead")
        bucket = await self._core.read(lambda reader: buckets.get_by_id(reader, dead.bucket_id))
        return Unacknowledged(bucket.name.name if bucket is not None else "", dead.key, dead.sequence, None, "dead")

    async def _log(self, place: BucketPlace, spot: _Spot, limit: int) -> _Piece:
        """Keys whose latest event lies beyond the position."""
        reached, parked = await self._reached(place.id)
        start = await self._core.read(lambda reader: webhooks.start(reader, self._webhook.id, place.id))
        batch = await self.latest.batch(place.id, max(spot.sequence, reached, start), _BATCH)
        candidates = await self.latest.within(batch, self._prefix)
        found: list[Unacknowledged] = []
        is_begun = False
        for first in range(0, len(candidates), PIECE_ROWS):
            for event in await self._without_lane(place.id, candidates[first : first + PIECE_ROWS]):
                # One at least is decided, or the list would not go on.
                if len(found) == limit or (is_begun and self.latest.is_spent):
                    return _Piece(found, spot._replace(sequence=event.sequence - 1))
                is_begun = True
                if await self.latest.beyond(place.id, event.key, batch[-1].sequence) is None:
                    found.append(_of(event, _state(event, parked)))
        return _Piece(found, spot._replace(sequence=batch[-1].sequence) if len(batch) == _BATCH else None)

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

    async def _without_lane(self, bucket_id: int, found: Sequence[Event]) -> Sequence[Event]:
        """Those whose key's lane is not parked: the others have been listed with their lanes."""
        if self._webhook.ordering != "key":
            return found

        def look(reader: Reader) -> Mapping[bytes, bool]:
            names = (self._webhook.id, bucket_id)
            return {event.key: deliveries.get_lane(reader, *names, event.key) is None for event in found}

        is_free = await self._state.read(look)
        return [event for event in found if is_free[event.key]]


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
