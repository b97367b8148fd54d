"""Jobs as stored, beside the deliveries that they make."""

from __future__ import annotations

import json

from elasticlake.metadata.database import Reader, Row, Transaction
from elasticlake.model.ids import NO_BUCKET
from elasticlake.model.jobs import Cursor, JobKind, JobParameters, JobStatus, Tally, from_document, to_document
from elasticlake.record import record


@record
class Job:
    """A replay or a backfill. `total` is how much there is to look at, None where that would have to be counted."""

    id: str
    webhook_id: str
    number: int
    kind: JobKind
    parameters: JobParameters
    total: int | None
    created_at_ms: int
    updated_at_ms: int
    status: JobStatus = "running"
    cursor: Cursor = Cursor()
    tally: Tally = Tally()
    ended_at_ms: int | None = None
    error: str | None = None


_COLUMNS = """
SELECT id, webhook_id, number, kind, parameters, total, created_at_ms, updated_at_ms, status, cursor, scanned, matched,
       delivered, failed, skipped, ended_at_ms, error
FROM jobs
"""
_PAGES = {
    (False, False): _COLUMNS + "WHERE id < ? ORDER BY id DESC LIMIT ?",
    (False, True): _COLUMNS + "WHERE status = ? AND id < ? ORDER BY id DESC LIMIT ?",
    (True, False): _COLUMNS + "WHERE webhook_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
    (True, True): _COLUMNS + "WHERE webhook_id = ? AND status = ? AND id < ? ORDER BY id DESC LIMIT ?",
}
_BEYOND_ALL_IDS = "job_~"


def _job(row: Row) -> Job:
    *head, status, cursor, scanned, matched, delivered, failed, skipped, ended_at_ms, error = row
    identity, webhook_id, number, kind, parameters, total, created_at_ms, updated_at_ms = head
    span, sequence, key = json.loads(cursor)
    return Job(
        identity,
        webhook_id,
        number,
        kind,
        from_document(json.loads(parameters)),
        total,
        created_at_ms,
        updated_at_ms,
        status,
        Cursor(span, sequence, bytes.fromhex(key)),
        Tally(scanned, matched, delivered, failed, skipped),
        ended_at_ms,
        error,
    )


def _cursor(cursor: Cursor) -> str:
    return json.dumps([cursor.span, cursor.sequence, cursor.key.hex()])


def next_number(reader: Reader, webhook_id: str) -> int:
    """The number of the webhook's next job."""
    row = reader.row("SELECT max(number) FROM jobs WHERE webhook_id = ?", (webhook_id,))
    return int(row[0] or 0) + 1 if row else 1


def insert(tx: Transaction, job: Job) -> None:
    tx.run(
        "INSERT INTO jobs (id, webhook_id, number, kind, parameters, status, cursor, total, created_at_ms,"
        " updated_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.id,
            job.webhook_id,
            job.number,
            job.kind,
            json.dumps(to_document(job.parameters)),
            job.status,
            _cursor(job.cursor),
            job.total,
            job.created_at_ms,
            job.updated_at_ms,
        ),
    )


def get(reader: Reader, job_id: str) -> Job | None:
    row = reader.row(_COLUMNS + "WHERE id = ?", (job_id,))
    return _job(row) if row else None


def numbered(reader: Reader, webhook_id: str, number: int) -> Job | None:
    """The webhook's n-th job."""
    row = reader.row(_COLUMNS + "WHERE webhook_id = ? AND number = ?", (webhook_id, number))
    return _job(row) if row else None


def page(
    reader: Reader, before: str, limit: int, webhook_id: str | None = None, status: JobStatus | None = None
) -> list[Job]:
    """Jobs before that id ("": from the newest on), the newest first."""
    wanted = tuple(value for value in (webhook_id, status) if value is not None)
    sql = _PAGES[webhook_id is not None, status is not None]
    return [_job(row) for row in reader.rows(sql, (*wanted, before or _BEYOND_ALL_IDS, limit))]


def count_running(reader: Reader, webhook_id: str) -> int:
    row = reader.row("SELECT count(*) FROM jobs WHERE webhook_id = ? AND status = 'running'", (webhook_id,))
    return int(row[0]) if row else 0


def running(reader: Reader, epoch: int) -> list[tuple[str, str, int]]:
    """Id, webhook and number of the running jobs of the webhooks that the dispatcher of that epoch owns, the eldest
    first."""
    sql = """
    SELECT id, webhook_id, number FROM jobs
    WHERE status = 'running' AND webhook_id IN (SELECT webhook_id FROM assignments WHERE epoch = ?) ORDER BY number, id
    """
    return [(row[0], row[1], row[2]) for row in reader.rows(sql, (epoch,))]


def put_progress(tx: Transaction, job: Job) -> None:
    """Store how far the job is, and whether it has ended. One that was canceled meanwhile stays so."""
    tx.run(
        "UPDATE jobs SET cursor = ?, scanned = ?, matched = ?, delivered = ?, failed = ?, skipped = ?,"
        " updated_at_ms = ?, ended_at_ms = CASE WHEN status = 'running' THEN ? ELSE ended_at_ms END,"
        " error = CASE WHEN status = 'running' THEN ? ELSE error END,"
        " status = CASE WHEN status = 'running' THEN ? ELSE status END WHERE id = ?",
        (
            _cursor(job.cursor),
            job.tally.scanned,
            job.tally.matched,
            job.tally.delivered,
            job.tally.failed,
            job.tally.skipped,
            job.updated_at_ms,
            job.ended_at_ms,
            job.error,
            job.status,
            job.id,
        ),
    )


def cancel(tx: Transaction, job_id: str, now_ms: int) -> None:
    """End a running job."""
    tx.run(
        "UPDATE jobs SET status = 'canceled', updated_at_ms = ?, ended_at_ms = ? WHERE id = ? AND status = 'running'",
        (now_ms, now_ms, job_id),
    )


def dead_sequences(
    reader: Reader, webhook_id: str, bucket_id: int, after: int, up_to: int, generation: int, limit: int
) -> list[int]:
    """The bucket's events with `after` < sequence <= `up_to` of which the webhook has a dead delivery, but one of that
    generation."""
    sql = """
    SELECT DISTINCT sequence FROM dead_deliveries
    WHERE webhook_id = ? AND bucket_id = ? AND sequence > ? AND sequence <= ? AND generation <> ?
    ORDER BY sequence LIMIT ?
    """
    return [row[0] for row in reader.rows(sql, (webhook_id, bucket_id, after, up_to, generation, limit))]


def parked_heads(reader: Reader, webhook_id: str, bucket_id: int, start: bytes, limit: int) -> list[tuple[bytes, int]]:
    """The bucket's lanes from that key on: the key, and the sequence that waits to be attempted."""
    sql = (
        "SELECT key, head_sequence FROM lanes WHERE webhook_id = ? AND bucket_id = ? AND key >= ? ORDER BY key LIMIT ?"
    )
    return [(row[0], row[1]) for row in reader.rows(sql, (webhook_id, bucket_id, start, limit))]


def count_dead(reader: Reader, webhook_id: str) -> dict[int, int]:
    """Of how many events the webhook has dead deliveries, by bucket; operational events are of none."""
    sql = (
        "SELECT bucket_id, count(DISTINCT sequence) FROM dead_deliveries WHERE webhook_id = ? AND bucket_id <> ?"
        " GROUP BY bucket_id"
    )
    return {row[0]: row[1] for row in reader.rows(sql, (webhook_id, NO_BUCKET))}


def count_lanes(reader: Reader, webhook_id: str) -> dict[int, int]:
    """How many of the webhook's lanes are parked, by bucket."""
    sql = "SELECT bucket_id, count(*) FROM lanes WHERE webhook_id = ? GROUP BY bucket_id"
    return {row[0]: row[1] for row in reader.rows(sql, (webhook_id,))}
