"""The queries of the integrity check: whole tables, in pages, so that none costs a round trip for each row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from elasticlake.metadata import objects
from elasticlake.metadata.database import Reader, Value
from elasticlake.model.objects import BlobPart, ObjectVersion

_BATCH = 1000
# What belongs to the objects of a bucket from one key to another.
_RANGE = "WHERE o.bucket_id = ? AND o.key >= ? AND o.key <= ?"
_LAST = "SELECT max(n.sequence) FROM events n WHERE n.bucket_id = o.bucket_id AND n.key = o.key"
_LAST_EVENTS = f"""
SELECT o.key, ({_LAST}), (SELECT e.etag FROM events e WHERE e.bucket_id = o.bucket_id AND e.sequence = ({_LAST}))
FROM objects o {_RANGE}
"""
_BODIES = f"SELECT i.id, i.body FROM objects o JOIN inline_bodies i ON i.id = o.inline_id {_RANGE}"
_MANIFESTS = f"""
SELECT m.id, m.part_number, m.blob_id, m.size_bytes, m.checksum
FROM objects o JOIN manifests m ON m.id = o.manifest_id {_RANGE} ORDER BY m.id, m.part_number
"""


class AuditReader(Reader, Protocol):
    """A view of the whole database as of one moment, whose engine tells what it knows of its own state."""

    def faults(self) -> list[str]:
        """What the engine itself finds wrong with its files."""
        ...


class AuditedBucket(NamedTuple):
    """A bucket, deleted or not, and what its row says of it."""

    id: int
    name: str
    first_sequence: int
    sequence: int
    objects: int
    size_bytes: int


class LastEvent(NamedTuple):
    """What the log says last of a key."""

    sequence: int
    etag: str


class AuditedPart(NamedTuple):
    """A part of an upload under way; an empty one has no blob."""

    upload_id: str
    part_number: int
    blob_id: str
    size_bytes: int


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


def versions(reader: Reader, bucket_id: int) -> Iterator[list[ObjectVersion]]:
    """Every object of the bucket, in pages by key."""
    start = b""
    while page := objects.versions_from(reader, bucket_id, start, _BATCH):
        yield page
        start = page[-1].key + b"\x00"


def last_events(reader: Reader, bucket_id: int, page: list[ObjectVersion]) -> dict[bytes, LastEvent]:
    """The latest event that the log holds of each key of consecutive objects; without those that have none."""
    rows = reader.rows(_LAST_EVENTS, _range(bucket_id, page))
    return {key: LastEvent(sequence, etag) for key, sequence, etag in rows if sequence is not None}


def inline_bodies(reader: Reader, bucket_id: int, page: list[ObjectVersion]) -> dict[int, bytes]:
    """The bodies of consecutive objects that are inline, by their ids."""
    return dict(reader.rows(_BODIES, _range(bucket_id, page)))


def manifests(reader: Reader, bucket_id: int, page: list[ObjectVersion]) -> dict[str, list[BlobPart]]:
    """The blobs of consecutive objects, in order, by the manifests' ids."""
    found: dict[str, list[BlobPart]] = {}
    for manifest_id, *part in reader.rows(_MANIFESTS, _range(bucket_id, page)):
        found.setdefault(manifest_id, []).append(BlobPart(*part))
    return found


def _range(bucket_id: int, page: list[ObjectVersion]) -> tuple[Value, ...]:
    return bucket_id, page[0].key, page[-1].key


def last_events_without_object(reader: Reader, bucket_id: int) -> list[tuple[bytes, str]]:
    """Keys whose last event says that they exist, and that do not."""
    sql = """
    SELECT e.key, e.type FROM (SELECT max(sequence) AS sequence FROM events WHERE bucket_id = ? GROUP BY key) AS last
    JOIN events e ON e.bucket_id = ? AND e.sequence = last.sequence
    WHERE e.type <> 'object:deleted'
      AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.bucket_id = e.bucket_id AND o.key = e.key)
    """
    return [(row[0], row[1]) for row in reader.rows(sql, (bucket_id, bucket_id))]


def unreachable_rows(reader: Reader) -> list[str]:
    """Bytes that no object refers to."""
    # EXCEPT is quick on either engine, whatever it knows of the tables' sizes; NOT IN and NOT EXISTS are so on one.
    inline = """
    SELECT count(*) FROM (
        SELECT id FROM inline_bodies EXCEPT SELECT inline_id FROM objects WHERE inline_id IS NOT NULL) AS unreachable
    """
    manifests = """
    SELECT count(*) FROM (
        SELECT id FROM manifests EXCEPT SELECT manifest_id FROM objects WHERE manifest_id IS NOT NULL) AS unreachable
    """
    found = []
    for what, sql in (("inline bodies", inline), ("manifests", manifests)):
        row = reader.row(sql)
        if row is not None and row[0]:
            found.append(f"{row[0]} {what} belong to no object")
    return found


def doomed_blobs(reader: Reader) -> list[str]:
    """Blobs that are queued for deletion though an object or an upload names them."""
    sql = """
    SELECT d.blob_id FROM blob_deletions d
    WHERE EXISTS (SELECT 1 FROM manifests m WHERE m.blob_id = d.blob_id)
       OR EXISTS (SELECT 1 FROM parts p WHERE p.blob_id = d.blob_id)
    """
    return [row[0] for row in reader.rows(sql)]


def parts(reader: Reader) -> Iterator[list[AuditedPart]]:
    """Every part of every upload under way, in pages."""
    sql = """
    SELECT upload_id, part_number, blob_id, size_bytes FROM parts
    WHERE (upload_id, part_number) > (?, ?) ORDER BY upload_id, part_number LIMIT ?
    """
    beyond: tuple[str, int] = ("", 0)
    while page := [AuditedPart(*row) for row in reader.rows(sql, (*beyond, _BATCH))]:
        yield page
        beyond = page[-1].upload_id, page[-1].part_number


def unowned_webhooks(reader: Reader) -> int:
    """How many webhooks are assigned to dispatchers that are no more."""
    sql = """
    SELECT count(*) FROM assignments a WHERE NOT EXISTS (SELECT 1 FROM nodes n WHERE n.epoch = a.epoch)
    """
    row = reader.row(sql)
    return int(row[0]) if row else 0
