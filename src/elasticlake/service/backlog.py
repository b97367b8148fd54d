"""What waits for webhooks in the logs: how much, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from elasticlake.metadata import events
from elasticlake.metadata.database import Reader
from elasticlake.metadata.deliveries import Parked, Position
from elasticlake.metadata.webhooks import ListenedLog


class FirstWaiting(NamedTuple):
    """The first event of a bucket's log that has not arrived at a webhook."""

    webhook_id: str
    bucket_id: int
    sequence: int


class Backlog(NamedTuple):
    """How many events lie beyond each webhook's positions (those without any left out), and where the first ones are of
    what has not arrived."""

    events: dict[str, int]
    first: list[FirstWaiting]


def backlog(logs: Iterable[ListenedLog], positions: Iterable[Position], parked: Iterable[Parked]) -> Backlog:
    """What waits. Positions and lanes are older than the logs, or as old: then nothing is counted that has arrived."""
    reached = {(position.webhook_id, position.bucket_id): position.sequence for position in positions}
    first = {(one.webhook_id, one.bucket_id): one.first_head for one in parked if one.first_head is not None}
    counts: dict[str, int] = {}
    for log in logs:
        place = (log.webhook_id, log.bucket_id)
        position = max(log.start, reached.get(place, 0))
        if log.sequence > position:
            counts[log.webhook_id] = counts.get(log.webhook_id, 0) + log.sequence - position
            first[place] = min(first.get(place, position + 1), position + 1)
    return Backlog(counts, [FirstWaiting(*place, sequence) for place, sequence in first.items()])


def first_times(reader: Reader, waiting: Sequence[FirstWaiting]) -> list[tuple[FirstWaiting, int]]:
    """When these events happened (milliseconds), or what follows where retention took them; without those of which
    nothing is left."""
    found = [(one, events.time_from(reader, one.bucket_id, one.sequence)) for one in waiting]
    return [(one, time_ms) for one, time_ms in found if time_ms is not None]
