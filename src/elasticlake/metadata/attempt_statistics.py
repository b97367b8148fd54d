"""Statistics of attempts: a row for each webhook and five minutes, counted where attempts are appended.

So they are as complete as the history is, and reading a day of a webhook costs at most 288 rows, however many attempts
there were. A batch costs one upsert for each webhook in it, not one for each attempt.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, Protocol

from elasticlake.metadata.database import Row, Value
from elasticlake.model.attempt_counts import (
    FAILURE_KINDS,
    LATENCY_BOUNDS_MS,
    AttemptCounts,
    failure_number,
    latency_number,
)

SLOT_MS = 300_000
SLOTS_A_DAY = 86_400_000 // SLOT_MS
_FAILED = tuple(f"failed_{kind}" for kind in FAILURE_KINDS)
_TOOK = tuple(f"took_{number}" for number in range(len(LATENCY_BOUNDS_MS) + 1))
COUNTS = ("delivered", *_FAILED, *_TOOK)
"""The columns that count; `took_n` is the n-th bucket of latencies."""
_FIRST_FAILED = 1
_FIRST_TOOK = _FIRST_FAILED + len(_FAILED)
_SUMS = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in COUNTS)


class Counted(Protocol):
    """What is counted of an attempt."""

    @property
    def webhook_id(self) -> str: ...
    @property
    def started_at_ms(self) -> int: ...
    @property
    def duration_ms(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def status_code(self) -> int | None: ...
    @property
    def error_class(self) -> str | None: ...


class Step(NamedTuple):
    """What was attempted for a webhook in so many slots, of which `first_slot` (since the epoch) is the first."""

    webhook_id: str
    first_slot: int
    counts: AttemptCounts


def tally(attempts: Iterable[Counted]) -> list[tuple[str | int, ...]]:
    """A row (webhook, slot, `COUNTS`) to add for each webhook and slot, always in the same order, so that two who add
    at once wait for each other and never in a circle."""
    rows: dict[tuple[str, int], list[int]] = {}
    for one in attempts:
        place = (one.webhook_id, one.started_at_ms // SLOT_MS)
        counts = rows.get(place)
        if counts is None:
            counts = rows[place] = [0] * len(COUNTS)
        outcome = 0 if one.status == "delivered" else _FIRST_FAILED + failure_number(one.error_class, one.status_code)
        counts[outcome] += 1
        counts[_FIRST_TOOK + latency_number(one.duration_ms)] += 1
    return [(*place, *counts) for place, counts in sorted(rows.items())]


def upsert(*further: str) -> str:
    """The statement that adds such a row; further columns come first, and are part of the key."""
    key = (*further, "webhook_id", "slot")
    added = ", ".join(f"{name} = attempt_statistics.{name} + excluded.{name}" for name in COUNTS)
    marks = ", ".join("?" * (len(key) + len(COUNTS)))
    return (
        f"INSERT INTO attempt_statistics ({', '.join((*key, *COUNTS))}) VALUES ({marks})"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}"
    )


@lru_cache
def selection(webhooks: int, condition: str = "") -> str:
    """The statement that sums up steps of so many webhooks, with a further condition before all others."""
    marks = ", ".join("?" * webhooks)
    return (
        f"SELECT webhook_id, (slot / ?) * ?, {_SUMS} FROM attempt_statistics"
        f" WHERE {condition} webhook_id IN ({marks}) AND slot >= ? AND slot < ? GROUP BY 1, 2 ORDER BY 1, 2"
    )


def parameters(webhook_ids: Iterable[str], since_slot: int, until_slot: int, step: int, *further: Value) -> list[Value]:
    """The values for `selection`: steps of `step` slots, from one slot to before another."""
    return [step, step, *further, *webhook_ids, since_slot, until_slot]


def from_row(row: Row) -> Step:
    """The step that a row of `selection` is."""
    webhook_id, first_slot, delivered, *counts = row
    failed = len(_FAILED)
    return Step(webhook_id, first_slot, AttemptCounts(delivered, tuple(counts[:failed]), tuple(counts[failed:])))
