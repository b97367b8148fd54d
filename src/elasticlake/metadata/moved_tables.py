"""Which tables go along when all data moves from one engine to another; the engines' schemas agree in their columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from elasticlake.metadata.database import Row

CORE = (
    "facts", "accounts", "access_keys", "tokens", "lakes", "ponds", "buckets", "objects", "inline_bodies", "manifests",
    "blob_deletions", "uploads", "parts", "completed_uploads", "events", "webhooks", "webhook_starts",
)  # fmt: skip
DELIVERY = (
    "positions", "lanes", "dead_deliveries", "requested_deliveries", "failing_webhooks", "operational_events", "jobs",
    "where_errors",
)  # fmt: skip
HISTORY = ("attempts", "attempt_statistics")
"""In each day's file."""
LEFT_BEHIND = ("blob_intents", "nodes", "assignments", "breakers")
"""What says who lives and what is under way: of a server that was stopped, nothing."""
NUMBERED = (("lakes", "id"), ("ponds", "id"), ("buckets", "id"), ("operational_events", "id"))
"""Tables whose ids never come again, also those of rows that are gone."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's columns, and at which of their places the primary key's are."""

    table: str
    columns: tuple[str, ...]
    key: tuple[int, ...]

    def key_of(self, row: Row) -> Row:
        return tuple(row[place] for place in self.key)


@dataclass(frozen=True, slots=True)
class RowsDigest:
    """How many rows there are, and the sum of their digests: the same whatever their order."""

    rows: int
    digest: int

    @classmethod
    def of(cls, rows: Iterable[Row]) -> RowsDigest:
        count = total = 0
        for row in rows:
            count += 1
            total += int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=16).digest(), "big")
        return cls(count, total % (1 << 128))
