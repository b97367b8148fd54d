"""What the dispatcher remembers: positions, lanes, dead and requested deliveries.

Kept apart from the objects' file on SQLite, so that outcomes never wait for, or delay, a write to a bucket (I7). Losing
the last moments of it only sends some events again: positions, lanes and counts always fall back together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from elasticlake.metadata.chosen import rows_of
from elasticlake.metadata.database import Reader, Transaction
from elasticlake.model.ids import NO_BUCKET, DeliveryId
from elasticlake.model.jobs import JOB_GENERATIONS
from elasticlake.model.webhooks import Ordering
from elasticlake.record import record

Counted = Literal["delivered", "dead", "canceled", "expired", "coalesced"]
COUNTED: tuple[Counted, ...] = get_args(Counted)


@record
class Position:
    """How far a webhook is in a bucket's log, and what became of the events it passed."""

    webhook_id: str
    bucket_id: int
    sequence: int
    delivered: int = 0
    dead: int = 0
    canceled: int = 0
    expired: int = 0
    coalesced: int = 0


@record
class Lane:
    """A failing key: its head waits for the next attempt, its later events wait in the log."""

    webhook_id: str
    bucket_id: int
    key: bytes
    head_sequence: int
    attempts: int
    next_attempt_at_ms: int
    ordering: Ordering = "key"
    coalesced: int = 0
    """How many earlier events of the key the head stands for."""
    end_sequence: int = 0
    """The last event of the batch that the head begins; 0 where it goes alone."""


class DeadDelivery(NamedTuple):
    """A delivery that ended without success."""

    webhook_id: str
    bucket_id: int
    sequence: int
    generation: int
    key: bytes
    attempts: int
    died_at_ms: int


class RequestedDelivery(NamedTuple):
    """A redelivery (`sequence` > 0) or a test (`sequence` 0) that a person asked for, what a job failed to send, or an
    operational event's delivery."""

    webhook_id: str
    bucket_id: int
    sequence: int
    generation: int
    status: str
    attempts: int
    requested_at_ms: int
    next_attempt_at_ms: int | None
    key: bytes | None = None
    """A backfilled object's, which may have no event any more."""

    @property
    def id(self) -> DeliveryId:
        return DeliveryId(*self[:4])


_POSITIONS = "SELECT webhook_id, bucket_id, sequence, delivered, dead, canceled, expired, coalesced FROM positions "
_LANES = """
SELECT webhook_id, bucket_id, key, head_sequence, attempts, next_attempt_at_ms, ordering, coalesced, end_sequence
FROM lanes
"""
_DEAD = "SELECT webhook_id, bucket_id, sequence, generation, key, attempts, died_at_ms FROM dead_deliveries "
_REQUESTED = """
SELECT webhook_id, bucket_id, sequence, generation, status, attempts, requested_at_ms, next_attempt_at_ms, key
FROM requested_deliveries
"""


_TABLES = (
    "positions", "lanes", "dead_deliveries", "requested_deliveries", "failing_webhooks", "where_errors", "breakers",
    "jobs", "assignments",
)  # fmt: skip


def get_position(reader: Reader, webhook_id: str, bucket_id: int) -> Position | None:
    row = reader.row(_POSITIONS + "WHERE webhook_id = ? AND bucket_id = ?", (webhook_id, bucket_id))
    return Position(*row) if row else None


def positions(reader: Reader, webhook_id: str) -> list[Position]:
    return [Position(*row) for row in reader.rows(_POSITIONS + "WHERE webhook_id = ?", (webhook_id,))]


def positions_of(reader: Reader, webhook_ids: Sequence[str]) -> list[Position]:
    """As `positions`, of many webhooks."""
    return [Position(*row) for row in rows_of(reader, _POSITIONS + "WHERE webhook_id IN ({webhooks})", webhook_ids)]


def put_position(tx: Transaction, position: Position) -> None:
    tx.run(
        "INSERT INTO positions (webhook_id, bucket_id, sequence, delivered, dead, canceled, expired, coalesced)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (webhook_id, bucket_id) DO UPDATE SET sequence = excluded.sequence,"
        " delivered = excluded.delivered, dead = excluded.dead, canceled = excluded.canceled,"
        " expired = excluded.expired, coalesced = excluded.coalesced",
        (
            position.webhook_id,
            position.bucket_id,
            position.sequence,
            position.delivered,
            position.dead,
            position.canceled,
            position.expired,
            position.coalesced,
        ),
    )


def lanes(reader: Reader, webhook_id: str) -> list[Lane]:
    return [Lane(*row) for row in reader.rows(_LANES + "WHERE webhook_id = ?", (webhook_id,))]


def lanes_of_feed(reader: Reader, webhook_id: str, bucket_id: int) -> list[Lane]:
    return [
        Lane(*row) for row in reader.rows(_LANES + "WHERE webhook_id = ? AND bucket_id = ?", (webhook_id, bucket_id))
    ]


def feeds_with_lanes(reader: Reader) -> list[tuple[str, int]]:
    """Every (webhook, bucket) that has a lane waiting."""
    return [(row[0], row[1]) for row in reader.rows("SELECT DISTINCT webhook_id, bucket_id FROM lanes")]


def get_lane(reader: Reader, webhook_id: str, bucket_id: int, key: bytes) -> Lane | None:
    row = reader.row(_LANES + "WHERE webhook_id = ? AND bucket_id = ? AND key = ?", (webhook_id, bucket_id, key))
    return Lane(*row) if row else None


def put_lane(tx: Transaction, lane: Lane) -> None:
    tx.run(
        "INSERT INTO lanes (webhook_id, bucket_id, key, head_sequence, attempts, next_attempt_at_ms, ordering,"
        " coalesced, end_sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (webhook_id, bucket_id, key) DO UPDATE SET"
        " head_sequence = excluded.head_sequence, attempts = excluded.attempts,"
        " next_attempt_at_ms = excluded.next_attempt_at_ms, ordering = excluded.ordering,"
        " coalesced = excluded.coalesced, end_sequence = excluded.end_sequence",
        (
            lane.webhook_id,
            lane.bucket_id,
            lane.key,
            lane.head_sequence,
            lane.attempts,
            lane.next_attempt_at_ms,
            lane.ordering,
            lane.coalesced,
            lane.end_sequence,
        ),
    )


def delete_lane(tx: Transaction, webhook_id: str, bucket_id: int, key: bytes) -> None:
    tx.run("DELETE FROM lanes WHERE webhook_id = ? AND bucket_id = ? AND key = ?", (webhook_id, bucket_id, key))


def put_dead(tx: Transaction, dead: DeadDelivery) -> None:
    tx.run(
        "INSERT INTO dead_deliveries (webhook_id, bucket_id, sequence, generation, key, attempts, died_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        tuple(dead),
    )


def delete_dead(tx: Transaction, webhook_id: str, bucket_id: int, sequence: int) -> None:
    """The event was delivered after all, by a redelivery."""
    sql = "DELETE FROM dead_deliveries WHERE webhook_id = ? AND bucket_id = ? AND sequence = ?"
    tx.run(sql, (webhook_id, bucket_id, sequence))


def get_dead(reader: Reader, webhook_id: str, bucket_id: int, sequence: int, generation: int) -> DeadDelivery | None:
    sql = _DEAD + "WHERE webhook_id = ? AND bucket_id = ? AND sequence = ? AND generation = ?"
    row = reader.row(sql, (webhook_id, bucket_id, sequence, generation))
    return DeadDelivery(*row) if row else None


def list_dead(reader: Reader, webhook_id: str, after: tuple[int, int, int], limit: int) -> list[DeadDelivery]:
    """Dead deliveries by (bucket, sequence, generation) beyond `after`."""
    sql = _DEAD + (
        "WHERE webhook_id = ? AND (bucket_id, sequence, generation) > (?, ?, ?)"
        " ORDER BY bucket_id, sequence, generation LIMIT ?"
    )
    return [DeadDelivery(*row) for row in reader.rows(sql, (webhook_id, *after, limit))]


def dead_events(reader: Reader, webhook_id: str, bucket_id: int, after: int, limit: int) -> list[DeadDelivery]:
    """The events of the bucket's log beyond `after` whose own delivery (no redelivery of it) is dead."""
    sql = _DEAD + "WHERE webhook_id = ? AND bucket_id = ? AND sequence > ? AND generation = 0 ORDER BY sequence LIMIT ?"
    return [DeadDelivery(*row) for row in reader.rows(sql, (webhook_id, bucket_id, after, limit))]


def list_lanes(reader: Reader, webhook_id: str, after: tuple[int, bytes], limit: int) -> list[Lane]:
    """Lanes by (bucket, key) beyond `after`."""
    sql = _LANES + "WHERE webhook_id = ? AND (bucket_id, key) > (?, ?) ORDER BY bucket_id, key LIMIT ?"
    return [Lane(*row) for row in reader.rows(sql, (webhook_id, *after, limit))]


def next_generation(reader: Reader, webhook_id: str, bucket_id: int, sequence: int) -> int:
    """The next redelivery's or test's; those of jobs are counted apart."""
    sql = (
        "SELECT max(generation) FROM requested_deliveries"
        " WHERE webhook_id = ? AND bucket_id = ? AND sequence = ? AND generation < ?"
    )
    row = reader.row(sql, (webhook_id, bucket_id, sequence, JOB_GENERATIONS))
    return int(row[0] or 0) + 1 if row else 1


def put_requested(tx: Transaction, requested: RequestedDelivery) -> None:
    tx.run(
        "INSERT INTO requested_deliveries (webhook_id, bucket_id, sequence, generation, status, attempts,"
        " requested_at_ms, next_attempt_at_ms, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (webhook_id, bucket_id, sequence, generation) DO UPDATE SET"
        " status = excluded.status, attempts = excluded.attempts,"
        " next_attempt_at_ms = excluded.next_attempt_at_ms",
        tuple(requested),
    )


def get_requested(
    reader: Reader, webhook_id: str, bucket_id: int, sequence: int, generation: int
) -> RequestedDelivery | None:
    sql = _REQUESTED + "WHERE webhook_id = ? AND bucket_id = ? AND sequence = ? AND generation = ?"
    row = reader.row(sql, (webhook_id, bucket_id, sequence, generation))
    return RequestedDelivery(*row) if row else None


_MOST_LEFT_OUT = 8


def due_requested(
    reader: Reader, epoch: int, now_ms: int, limit: int, left_out: Sequence[str] = ()
) -> list[RequestedDelivery]:
    """Those due of the webhooks that the dispatcher of that epoch owns; but for a few webhooks, at most 8."""
    # Always as many marks, so that it is one statement to the engine.
    marks = ", ".join("?" * _MOST_LEFT_OUT)
    sql = _REQUESTED + (
        "WHERE next_attempt_at_ms IS NOT NULL AND next_attempt_at_ms <= ?"
        f" AND webhook_id NOT IN ({marks})"
        " AND webhook_id IN (SELECT webhook_id FROM assignments WHERE epoch = ?) ORDER BY next_attempt_at_ms LIMIT ?"
    )
    unwanted = [*left_out[:_MOST_LEFT_OUT], *[""] * (_MOST_LEFT_OUT - len(left_out))]
    return [RequestedDelivery(*row) for row in reader.rows(sql, (now_ms, *unwanted, epoch, limit))]


def forget_webhook(tx: Transaction, webhook_id: str) -> None:
    """The webhook is deleted: nothing of it waits any more."""
    for table in _TABLES:
        tx.run(f"DELETE FROM {table} WHERE webhook_id = ?", (webhook_id,))


class Parked(NamedTuple):
    """What of a webhook waits for an attempt in a bucket: how many lanes' heads, and the first of them by sequence
    (None without any); how many requested deliveries."""

    webhook_id: str
    bucket_id: int
    lanes: int
    first_head: int | None
    requested: int


_PARKED = """
SELECT webhook_id, bucket_id, count(*), min(head_sequence), 0
FROM lanes WHERE webhook_id IN ({webhooks}) GROUP BY webhook_id, bucket_id
UNION ALL SELECT webhook_id, bucket_id, 0, NULL, count(*)
FROM requested_deliveries WHERE webhook_id IN ({webhooks}) AND next_attempt_at_ms IS NOT NULL
GROUP BY webhook_id, bucket_id
"""


def parked(reader: Reader, webhook_ids: Sequence[str]) -> list[Parked]:
    """What waits for an attempt, of each of the webhooks and by bucket: lanes apart from requested deliveries."""
    return [Parked(*row) for row in rows_of(reader, _PARKED, webhook_ids)]


def list_requested(
    reader: Reader, webhook_id: str, status: str, after: tuple[int, int, int], limit: int
) -> list[RequestedDelivery]:
    """Requested deliveries of that status by (bucket, sequence, generation) beyond `after`."""
    sql = _REQUESTED + (
        "WHERE webhook_id = ? AND status = ? AND (bucket_id, sequence, generation) > (?, ?, ?)"
        " ORDER BY bucket_id, sequence, generation LIMIT ?"
    )
    return [RequestedDelivery(*row) for row in reader.rows(sql, (webhook_id, status, *after, limit))]


def known_webhooks(reader: Reader) -> list[str]:
    """Every webhook that something is remembered of."""
    return [row[0] for row in reader.rows(" UNION ".join(f"SELECT webhook_id FROM {table}" for table in _TABLES))]


def furthest(reader: Reader) -> list[tuple[str, int, int]]:
    """For each (webhook, bucket) the greatest sequence that something is remembered of; requested deliveries count
    while they wait, and what is told of webhooks is in no bucket's log."""
    sql = """
    SELECT webhook_id, bucket_id, max(sequence) FROM (
        SELECT webhook_id, bucket_id, sequence FROM positions
        UNION ALL SELECT webhook_id, bucket_id, head_sequence FROM lanes
        UNION ALL SELECT webhook_id, bucket_id, sequence FROM dead_deliveries
        UNION ALL SELECT webhook_id, bucket_id, sequence FROM requested_deliveries WHERE next_attempt_at_ms IS NOT NULL
    ) AS remembered WHERE bucket_id <> ? GROUP BY webhook_id, bucket_id
    """
    return [(row[0], row[1], row[2]) for row in reader.rows(sql, (NO_BUCKET,))]


def clamp_position(tx: Transaction, webhook_id: str, bucket_id: int, sequence: int) -> None:
    """Take a position that is beyond `sequence` back to it."""
    sql = "UPDATE positions SET sequence = ? WHERE webhook_id = ? AND bucket_id = ? AND sequence > ?"
    tx.run(sql, (sequence, webhook_id, bucket_id, sequence))


def drop_lanes_beyond(tx: Transaction, webhook_id: str, bucket_id: int, sequence: int) -> int:
    """Forget the lanes whose head is beyond `sequence`; returns how many."""
    sql = "DELETE FROM lanes WHERE webhook_id = ? AND bucket_id = ? AND head_sequence > ? RETURNING head_sequence"
    return len(tx.changing(sql, (webhook_id, bucket_id, sequence)))


def drop_dead_beyond(tx: Transaction, webhook_id: str, bucket_id: int, sequence: int) -> int:
    """Forget the dead deliveries of events beyond `sequence`, redeliveries included; returns how many."""
    sql = "DELETE FROM dead_deliveries WHERE webhook_id = ? AND bucket_id = ? AND sequence > ? RETURNING sequence"
    return len(tx.changing(sql, (webhook_id, bucket_id, sequence)))


def expire_requested_beyond(tx: Transaction, webhook_id: str, bucket_id: int, sequence: int) -> int:
    """End the requested deliveries that wait to send an event beyond `sequence`; returns how many.

    Their rows stay, so that a generation's number never comes again.
    """
    sql = (
        "UPDATE requested_deliveries SET status = 'expired', next_attempt_at_ms = NULL"
        " WHERE webhook_id = ? AND bucket_id = ? AND sequence > ? AND next_attempt_at_ms IS NOT NULL RETURNING sequence"
    )
    return len(tx.changing(sql, (webhook_id, bucket_id, sequence)))
