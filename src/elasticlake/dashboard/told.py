"""Who was told of an object, when, and what they said: its events, and each event's deliveries."""

from __future__ import annotations

from dataclasses import dataclass

from elasticlake.dashboard.visit import Visit
from elasticlake.errors import AccessDenied, NoSuchBucket
from elasticlake.model.events import Event
from elasticlake.service.object_deliveries import Told
from elasticlake.service.pages import decode_cursor, encode_cursor

_SHOWN = 10
KINDS = {"delivered": "good", "dead": "bad", "retrying": "warn", "held": "warn", "pending": "quiet"}
"""How a status looks; the others are quiet."""


@dataclass(frozen=True, slots=True)
class TellEvent:
    """An event and whom it was for."""

    event: Event
    told: list[Told]


@dataclass(frozen=True, slots=True)
class Telling:
    """A page of an object's events, the newest first."""

    events: list[TellEvent]
    next_cursor: str | None


async def read_telling(visit: Visit, key: bytes) -> Telling:
    """The page that the query asks for; empty where the viewer may see the object, and not the bucket's log."""
    cursor, name = visit.query("cursor"), visit.path("bucket")
    before = int(decode_cursor(cursor, int)[0]) if cursor else None
    try:
        found = (await visit.services.feed.before(visit.token, name, before, _SHOWN + 1, key)).events
        shown = found[:_SHOWN]
        sequences = [event.sequence for event in shown]
        told = await visit.services.object_deliveries.of_events(visit.token, name, sequences)
    except (NoSuchBucket, AccessDenied):
        return Telling([], None)
    events = [TellEvent(event, [one for one in told if one.delivery.id.sequence == event.sequence]) for event in shown]
    return Telling(events, encode_cursor(shown[-1].sequence) if len(found) > _SHOWN else None)
