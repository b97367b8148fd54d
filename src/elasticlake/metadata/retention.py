"""What retention takes from the logs: a log's first events, a batch at a time.

A bucket's `first_sequence` advances in the transaction that deletes, so a log is gap-free from there on, always (I3).
"""

from __future__ import annotations

from typing import NamedTuple

from elasticlake.metadata.database import Reader, Transaction

SAMPLES = 64
# Fixed columns, their places in the table and in two indexes, and headers of rows and pages; a key is in both indexes.
_ROW_BYTES = 320
# A log's first event is looked up: retention adds no index to what every PUT writes.
_LOGS = """
SELECT b.id, b.first_sequence, b.sequence, e.time_ms
FROM buckets b JOIN events e ON e.bucket_id = b.id AND e.sequence = b.first_sequence
WHERE b.id > ? ORDER BY b.id LIMIT ?
"""
_FIRST = "SELECT first_sequence FROM buckets WHERE id = ?"
_FIRST_EVENTS = "SELECT sequence, time_ms FROM events WHERE bucket_id = ? AND sequence >= ? ORDER BY sequence LIMIT ?"
_DELETE = "DELETE FROM events WHERE bucket_id = ? AND sequence >= ? AND sequence < ?"
_ADVANCE = "UPDATE buckets SET first_sequence = ? WHERE id = ? AND first_sequence < ?"
_SIZES = f"""
SELECT sequence, {_ROW_BYTES} + 2 * octet_length(key) + coalesce(octet_length(metadata), 0)
       + coalesce(octet_length(previous), 0) + coalesce(octet_length(trace), 0)
FROM events WHERE bucket_id = ? AND sequence IN ({", ".join("?" * SAMPLES)})
"""


class Log(NamedTuple):
    """A bucket's log that holds something: its first and last sequence, and when the first event happened."""

    bucket_id: int
    first_sequence: int
    last_sequence: int
    first_time_ms: int


def logs(reader: Reader, after_id: int, limit: int) -> list[Log]:
    """Logs that hold something, those of deleted buckets as well, by their buckets' ids beyond `after_id`."""
    return [Log(*row) for row in reader.rows(_LOGS, (after_id, limit))]


def sizes(reader: Reader, bucket_id: int, sequences: list[int]) -> dict[int, int]:
    """About how many bytes each of these events (at most `SAMPLES`) takes on disk, indexes included."""
    padded = sequences + [0] * (SAMPLES - len(sequences))
    return {row[0]: row[1] for row in reader.rows(_SIZES, (bucket_id, *padded))}


def trim(tx: Transaction, bucket_id: int, before_ms: int, keep_from: int, limit: int) -> int:
    """Delete the log's first events, at most `limit`: while they happened before that time, or lie before `keep_from`.

    Returns how many. The bucket's row is touched last, so that its writers wait for the commit alone. Two at once do no
    harm: what one deleted is gone for the other, and `first_sequence` never goes back.
    """
    row = tx.row(_FIRST, (bucket_id,))
    first = kept = row[0] if row is not None else 0
    for sequence, time_ms in tx.rows(_FIRST_EVENTS, (bucket_id, first, limit)):
        if time_ms >= before_ms and sequence >= keep_from:
            break
        kept = sequence + 1
    if kept > first:
        tx.run(_DELETE, (bucket_id, first, kept))
        tx.run(_ADVANCE, (kept, bucket_id, kept))
    return int(kept - first)
