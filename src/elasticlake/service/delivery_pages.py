"""Where the deliveries of each status are found, a bounded piece at a time.

A piece holds candidates: what a row or the log suggests. Whether each still has the status asked for is decided
afterwards, from all the facts, so a list never contradicts what the delivery says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from elasticlake.metadata import deliveries, events, webhooks
from elasticlake.metadata.attempt_search import Place, Wanted
from elasticlake.metadata.database import Reader
from elasticlake.metadata.deliveries import Lane
from elasticlake.metadata.history import History
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook
from elasticlake.service.pages import bad_cursor, decode_cursor, encode_cursor
from elasticlake.service.selection import select

# A page may come out short, with a cursor to go on from: looking through a long log never holds up the others.
SCANNED_AT_ONCE = 2000
_ENDLESS = 2**62


class Spot(NamedTuple):
    """How far a list has been read: the stage of it, and the last candidate there."""

    stage: str = ""
    bucket_id: int = -1
    key: bytes = b""
    sequence: int = -1
    generation: int = -1

    def encode(self) -> str:
        return encode_cursor(self.stage, self.bucket_id, self.key.hex(), self.sequence, self.generation)

    @classmethod
    def decode(cls, cursor: str) -> Spot:
        """Raises `InvalidInput`."""
        stage, bucket_id, key, sequence, generation = decode_cursor(cursor, str, int, str, int, int)
        try:
            return cls(str(stage), int(bucket_id), bytes.fromhex(str(key)), int(sequence), int(generation))
        except ValueError:
            raise bad_cursor() from None


class Piece(NamedTuple):
    """Candidates, and where to go on; None if the stage has no more."""

    found: list[DeliveryId]
    next_spot: Spot | None


def dead(reader: Reader, webhook_id: str, after: Spot, limit: int) -> Piece:
    """Those that the log made by itself; `requested` has the others."""
    rows = deliveries.list_dead(reader, webhook_id, (after.bucket_id, after.sequence, after.generation), limit)
    piece = _rows_piece([DeliveryId(webhook_id, row.bucket_id, row.sequence, row.generation) for row in rows], limit)
    return piece._replace(found=[one for one in piece.found if one.generation == 0])


def requested(reader: Reader, webhook_id: str, status: str, after: Spot, limit: int) -> Piece:
    beyond = (after.bucket_id, after.sequence, after.generation)
    rows = deliveries.list_requested(reader, webhook_id, status, beyond, limit)
    return _rows_piece([DeliveryId(webhook_id, row.bucket_id, row.sequence, row.generation) for row in rows], limit)


def lane_heads(reader: Reader, webhook_id: str, after: Spot, limit: int) -> Piece:
    rows = deliveries.list_lanes(reader, webhook_id, (after.bucket_id, after.key), limit)
    found = [DeliveryId(webhook_id, row.bucket_id, row.head_sequence) for row in rows]
    last = rows[-1] if len(rows) == limit else None
    return Piece(found, Spot("", last.bucket_id, last.key) if last else None)


def behind_positions(
    reader: Reader, webhook: Webhook, positions: Mapping[int, int], wanted: Wanted, after: Spot, limit: int
) -> Piece:
    """Subscribed events that the webhook has not come to."""
    scope, found, budget = webhook.scope, list[DeliveryId](), SCANNED_AT_ONCE
    places = webhooks.places_in_scope(reader, scope.kind, scope.id, webhook.account_id)
    for place in sorted(places):
        if place.id < after.bucket_id:
            continue
        reached = max(webhooks.start(reader, webhook.id, place.id), positions.get(place.id, 0))
        reached = max(reached, after.sequence) if place.id == after.bucket_id else reached
        rows = events.after(reader, place.id, reached, budget)
        budget -= len(rows) + 1
        full = _take(webhook, wanted, rows, found, limit)
        if full is not None:
            return Piece(found, full)
        if budget <= 0:
            return Piece(found, Spot("", place.id, b"", rows[-1].sequence if rows else reached))
    return Piece(found, None)


def behind_heads(reader: Reader, webhook: Webhook, lanes: list[Lane], wanted: Wanted, after: Spot, limit: int) -> Piece:
    """Subscribed events that wait for an earlier one of their lane."""
    found, budget = list[DeliveryId](), SCANNED_AT_ONCE
    for lane in sorted(lanes, key=lambda lane: (lane.bucket_id, lane.key)):
        spot = (lane.bucket_id, lane.key)
        if spot < (after.bucket_id, after.key):
            continue
        beyond = lane.head_sequence
        beyond = max(beyond, after.sequence) if spot == (after.bucket_id, after.key) else beyond
        rows = _of_lane(reader, webhook, lane, beyond, budget)
        budget -= len(rows) + 1
        full = _take(webhook, wanted, rows, found, limit)
        if full is not None:
            return Piece(found, full._replace(key=lane.key))
        if budget <= 0:
            return Piece(found, Spot("", lane.bucket_id, lane.key, rows[-1].sequence if rows else beyond))
    return Piece(found, None)


def attempted(history: History, webhook_id: str, wanted: Wanted, after: Spot, limit: int) -> Piece:
    """Deliveries by their last attempt, newest first, each once."""
    before = Place(after.sequence, after.generation) if after.sequence >= 0 else None
    hits, next_place = history.search(webhook_id, wanted, before, limit)
    found: list[DeliveryId] = []
    for hit in hits:
        last = history.last_attempt(webhook_id, hit.bucket_id, hit.sequence, hit.generation)
        if last is not None and last[0] == hit.place:
            found.append(DeliveryId(webhook_id, hit.bucket_id, hit.sequence, hit.generation))
    return Piece(found, Spot("", 0, b"", *next_place) if next_place is not None else None)


def _rows_piece(found: list[DeliveryId], limit: int) -> Piece:
    last = found[-1] if len(found) == limit else None
    return Piece(found, Spot("", last.bucket_id, b"", last.sequence, last.generation) if last else None)


def _of_lane(reader: Reader, webhook: Webhook, lane: Lane, beyond: int, limit: int) -> list[Event]:
    if webhook.ordering == "none":
        return []
    if webhook.ordering == "bucket":
        return events.after(reader, lane.bucket_id, beyond, limit)
    return events.of_key(reader, lane.bucket_id, lane.key, beyond, _ENDLESS, limit)


def _take(webhook: Webhook, wanted: Wanted, rows: list[Event], found: list[DeliveryId], limit: int) -> Spot | None:
    """Add the subscribed ones of `rows` that are wanted to `found`; where to go on, if that fills it.

    The webhook's expression, which may take long, is left to those who decide afterwards.
    """
    selection = select(webhook.events, replace(webhook.rules, where=None))
    for event in rows:
        if selection.selects(event) and wanted.takes_event(event.type, event.key):
            found.append(DeliveryId(webhook.id, event.bucket_id, event.sequence))
            if len(found) >= limit:
                return Spot("", event.bucket_id, b"", event.sequence)
    return None
