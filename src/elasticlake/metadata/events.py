"""The log: a bucket's events in sequence."""

from __future__ import annotations

import json

from elasticlake.metadata.attributes import dump, load
from elasticlake.metadata.database import Reader, Row, Transaction
from elasticlake.model.events import Event, Previous

_VALUES = """
SELECT e.id, e.bucket_id, b.name, e.sequence, e.type, e.time_ms, e.key, e.size_bytes, e.etag, e.content_type,
       e.lake, e.pond, e.reason, e.version_id, e.metadata, e.previous, e.principal, e.request_id, e.trace
"""
_COLUMNS = _VALUES + "FROM events e JOIN buckets b ON b.id = e.bucket_id "
_METADATA, _PREVIOUS = 14, 15
_AFTER = _COLUMNS + "WHERE e.bucket_id = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?"
_BEFORE = _COLUMNS + "WHERE e.bucket_id = ? AND e.sequence < ? ORDER BY e.sequence DESC LIMIT ?"
_ONE = _COLUMNS + "WHERE e.bucket_id = ? AND e.sequence = ?"
# The key's sequences come from the index by key alone: asked for whole rows, SQLite reads all of the bucket's instead.
_CHOSEN = (
    _VALUES
    + """
FROM (
    SELECT bucket_id, sequence FROM events
    WHERE bucket_id = ? AND key = ? AND sequence > ? AND sequence <= ? ORDER BY sequence %(order)s LIMIT ?
) chosen
JOIN events e ON e.bucket_id = chosen.bucket_id AND e.sequence = chosen.sequence
JOIN buckets b ON b.id = e.bucket_id
ORDER BY e.sequence %(order)s
"""
)
_OF_KEY = _CHOSEN % {"order": "ASC"}
_OF_KEY_BACKWARDS = _CHOSEN % {"order": "DESC"}
_ENDLESS = 2**62


def append(tx: Transaction, event: Event) -> None:
    """Write the event in the transaction that makes its change (I2)."""
    previous = event.previous
    tx.run(
        "INSERT INTO events (bucket_id, sequence, id, type, time_ms, key, size_bytes, etag, content_type, lake, pond,"
        " reason, version_id, metadata, previous, principal, request_id, trace)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.bucket_id,
            event.sequence,
            event.id,
            event.type,
            event.time_ms,
            event.key,
            event.size_bytes,
            event.etag,
            event.content_type,
            event.lake,
            event.pond,
            event.reason,
            event.version_id,
            dump(event.metadata),
            json.dumps([previous.size_bytes, previous.etag, previous.version_id]) if previous else None,
            event.principal,
            event.request_id,
            event.trace,
        ),
    )


def _event(row: Row) -> Event:
    values = list(row)
    values[_METADATA] = load(values[_METADATA])
    if values[_PREVIOUS] is not None:
        values[_PREVIOUS] = Previous(*json.loads(values[_PREVIOUS]))
    return Event(*values)


def after(reader: Reader, bucket_id: int, sequence: int, limit: int) -> list[Event]:
    """At most `limit` events beyond `sequence`, in sequence."""
    return [_event(row) for row in reader.rows(_AFTER, (bucket_id, sequence, limit))]


def before(reader: Reader, bucket_id: int, sequence: int, limit: int) -> list[Event]:
    """At most `limit` events before `sequence`, the latest first."""
    return [_event(row) for row in reader.rows(_BEFORE, (bucket_id, sequence, limit))]


def get(reader: Reader, bucket_id: int, sequence: int) -> Event | None:
    row = reader.row(_ONE, (bucket_id, sequence))
    return _event(row) if row else None


def time_from(reader: Reader, bucket_id: int, sequence: int) -> int | None:
    """When the first event from `sequence` on happened (milliseconds); None if there is none."""
    row = reader.row(
        "SELECT time_ms FROM events WHERE bucket_id = ? AND sequence >= ? ORDER BY sequence LIMIT 1",
        (bucket_id, sequence),
    )
    return row[0] if row else None


def of_key(reader: Reader, bucket_id: int, key: bytes, beyond: int, up_to: int, limit: int) -> list[Event]:
    """The key's events with `beyond` < sequence <= `up_to`: what a parked key left behind."""
    return [_event(row) for row in reader.rows(_OF_KEY, (bucket_id, key, beyond, up_to, limit))]


def of_key_backwards(reader: Reader, bucket_id: int, key: bytes, beyond: int, up_to: int, limit: int) -> list[Event]:
    """The key's last events with `beyond` < sequence <= `up_to`, the latest first."""
    return [_event(row) for row in reader.rows(_OF_KEY_BACKWARDS, (bucket_id, key, beyond, up_to, limit))]


def last_of_key(reader: Reader, bucket_id: int, key: bytes) -> Event | None:
    """The key's latest event that the log holds."""
    return next(iter(of_key_backwards(reader, bucket_id, key, 0, _ENDLESS, 1)), None)
