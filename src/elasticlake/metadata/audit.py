"""The queries of the integrity check: whole tables, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from elasticlake.metadata import events, objects
from elasticlake.metadata.database import Reader
from elasticlake.model.events import Event
from elasticlake.model.objects import ObjectVersion

_BATCH = 1000


class AuditedBucket(NamedTuple):
    """A bucket, deleted or not, and what its row says of it."""

    id: int
    name: str
    first_sequence: int
    sequence: int
    objects: int
    size_bytes: int


def database_faults(reader: Reader) -> Iterator[str]:
    """What the engine itself finds wrong with its file."""
    for (finding,) in reader.rows("PRAGMA integrity_check(20)"):
        if finding != "ok":
            yield f"database: {finding}"


def buckets(reader: Reader) -> list[AuditedBucket]:
    sql = "SELECT id, name, first_sequence, sequence, objects, size_bytes FROM buckets ORDER BY id"
    return [AuditedBucket(*row) for row in reader.rows(sql)]


def sequences(reader: Reader, bucket_id: int) -> Iterator[int]:
    """The sequences of the bucket's log, ascending."""
    beyond = 0
    sql = "SELECT sequence FROM events WHERE bucket_id = ? AND sequence > ? ORDER BY sequence LIMIT ?"
    while rows := reader.rows(sql, (bucket_id, beyond, _BATCH)):
        for (sequence,) in rows:
            yield sequence
        beyond = rows[-1][0]


def versions(reader: Reader, bucket_id: int) -> Iterator[ObjectVersion]:
    """Every object of the bucket."""
    start = b""
    while page := objects.versions_from(reader, bucket_id, start, _BATCH):
        yield from page
        start = page[-1].key + b"\x00"


def last_event(reader: Reader, bucket_id: int, key: bytes) -> Event | None:
    return events.last_of_key(reader, bucket_id, key)


def last_events_without_object(reader: Reader, bucket_id: int) -> list[tuple[bytes, str]]:
    """Keys whose last event says that they exist, and that do not."""
    sql = """
    SELECT e.key, e.type FROM events e
    WHERE e.bucket_id = ? AND e.type <> 'object:deleted'
      AND NOT EXISTS (
          SELECT 1 FROM events n WHERE n.bucket_id = e.bucket_id AND n.key = e.key AND n.sequence > e.sequence)
      AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.bucket_id = e.bucket_id AND o.key = e.key)
    """
    return [(row[0], row[1]) for row in reader.rows(sql, (bucket_id,))]


def unreachable_rows(reader: Reader) -> list[str]:
    """Bytes that no object refers to."""
    inline = """
    SELECT count(*) FROM inline_bodies WHERE id NOT IN (SELECT inline_id FROM objects WHERE inline_id IS NOT NULL)
    """
    manifests = """
    SELECT count(DISTINCT id) FROM manifests
    WHERE id NOT IN (SELECT manifest_id FROM objects WHERE manifest_id IS NOT NULL)
    """
    found = []
    for what, sql in (("inline bodies", inline), ("manifests", manifests)):
        row = reader.row(sql)
        if row is not None and row[0]:
            found.append(f"{row[0]} {what} belong to no object")
    return found


def parts(reader: Reader) -> list[tuple[str, int, str, int]]:
    sql = "SELECT upload_id, part_number, blob_id, size_bytes FROM parts"
    return [(row[0], row[1], row[2], row[3]) for row in reader.rows(sql)]
