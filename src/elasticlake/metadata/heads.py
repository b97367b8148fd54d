"""Where the logs of a lake's or a pond's buckets end."""

from __future__ import annotations

from typing import Literal

from elasticlake.metadata import events
from elasticlake.metadata.database import Reader
from elasticlake.record import record

PlaceKind = Literal["lake", "pond"]


@record
class Head:
    """A bucket's log: the first sequence that it still holds, the last one, and when that one happened (milliseconds;
    None if it is no longer, or not yet, there)."""

    bucket_id: int
    name: str
    account_id: str
    first_sequence: int
    sequence: int
    time_ms: int | None


# A deleted bucket counts as long as events of it are kept.
_HEADS = """
SELECT b.id, b.name, b.account_id, b.first_sequence, b.sequence, e.time_ms
FROM buckets b LEFT JOIN events e ON e.bucket_id = b.id AND e.sequence = b.sequence
WHERE {place} = ? AND (b.name, b.id) > (?, ?) AND (b.deleted_at_ms IS NULL OR b.sequence >= b.first_sequence)
ORDER BY b.name, b.id LIMIT ?
"""
_PAGES = {"lake": _HEADS.format(place="b.lake_id"), "pond": _HEADS.format(place="b.pond_id")}


def page(reader: Reader, kind: PlaceKind, place_id: int, after: tuple[str, int], limit: int) -> list[Head]:
    """The logs of a lake or a pond, by their buckets' name and id, from beyond `after` on."""
    return [Head(*row) for row in reader.rows(_PAGES[kind], (place_id, *after, limit))]


def last_before(reader: Reader, head: Head, time_ms: int) -> int:
    """The sequence of the last event before that time; the one before the first kept event if all are later.

    Events of one moment may have times in any order: then the sequence found is one of theirs, or the one before.
    """
    low, high = head.first_sequence - 1, head.sequence
    while low < high:
        middle = (low + high + 1) // 2
        found_ms = events.time_from(reader, head.bucket_id, middle)
        low, high = (middle, high) if found_ms is not None and found_ms < time_ms else (low, middle - 1)
    return low
