"""Buckets, and the counters that every change of an object moves.

A group of mutations reads a bucket's row once and writes it once: in between it lives in the transaction's memo. That
is what keeps sequences gap-free (I3) at one row update per group instead of one per object.
"""

from __future__ import annotations

from dataclasses import replace

from elasticlake.errors import NoSuchBucket
from elasticlake.metadata.database import Reader, Row, Transaction
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.objects import Acl, Bucket

COLUMNS = """
SELECT b.id, b.name, b.account_id, b.acl, b.created_at_ms, b.sequence, b.objects, b.size_bytes,
       coalesce(l.name, ''), coalesce(p.name, '')
FROM buckets b LEFT JOIN lakes l ON l.id = b.lake_id LEFT JOIN ponds p ON p.id = b.pond_id
"""
_BY_NAME = COLUMNS + "WHERE b.name = ? AND b.deleted_at_ms IS NULL"
_ID_BY_NAME = "SELECT id FROM buckets WHERE name = ? AND deleted_at_ms IS NULL"
_BY_ID = COLUMNS + "WHERE b.id = ?"
_PAGE = COLUMNS + "WHERE b.deleted_at_ms IS NULL AND b.name > ? ORDER BY b.name LIMIT ?"
_PAGE_OF_ACCOUNT = COLUMNS + "WHERE b.deleted_at_ms IS NULL AND b.account_id = ? AND b.name > ? ORDER BY b.name LIMIT ?"
_PAGE_OF_LAKE = COLUMNS + "WHERE b.deleted_at_ms IS NULL AND b.lake_id = ? AND b.name > ? ORDER BY b.name LIMIT ?"
_PAGE_OF_POND = COLUMNS + "WHERE b.deleted_at_ms IS NULL AND b.pond_id = ? AND b.name > ? ORDER BY b.name LIMIT ?"


def from_row(row: Row) -> Bucket:
    """The bucket that a row of `COLUMNS` is."""
    identity, name, *rest = row
    return Bucket(identity, parse_bucket_name(name), *rest)


def find(reader: Reader, name: str) -> Bucket | None:
    """The live bucket of that name; in a transaction, as the group's earlier mutations left it."""
    held: Bucket | None = reader.memo.get(("bucket", name))
    while held is None:
        locked = reader.hold(_ID_BY_NAME, (name,))
        row = reader.row(_BY_NAME, (name,))
        if row is None:
            return None
        if locked is None or (row[0],) in locked:
            held = reader.memo["bucket", name] = from_row(row)
        # Otherwise it was deleted and made anew while we waited for the old one's lock.
    return held


def get(reader: Reader, name: str) -> Bucket:
    """As `find`; raises `NoSuchBucket`."""
    bucket = find(reader, name)
    if bucket is None:
        raise NoSuchBucket
    return bucket


def get_by_id(reader: Reader, bucket_id: int) -> Bucket | None:
    """The bucket, deleted or not."""
    row = reader.row(_BY_ID, (bucket_id,))
    return from_row(row) if row else None


def page(
    reader: Reader,
    after: str,
    limit: int,
    *,
    account_id: str | None = None,
    lake_id: int | None = None,
    pond_id: int | None = None,
) -> list[Bucket]:
    """Live buckets by name: of one account, lake or pond, or all."""
    if pond_id is not None:
        rows = reader.rows(_PAGE_OF_POND, (pond_id, after, limit))
    elif lake_id is not None:
        rows = reader.rows(_PAGE_OF_LAKE, (lake_id, after, limit))
    elif account_id is not None:
        rows = reader.rows(_PAGE_OF_ACCOUNT, (account_id, after, limit))
    else:
        rows = reader.rows(_PAGE, (after, limit))
    return [from_row(row) for row in rows]


def advance(tx: Transaction, bucket: Bucket, *, objects: int = 0, size_bytes: int = 0) -> Bucket:
    """Take the bucket's next sequence and move its totals."""
    # Written out: `dataclasses.replace` costs as much as the row's insertion.
    moved = Bucket(
        bucket.id,
        bucket.name,
        bucket.account_id,
        bucket.acl,
        bucket.created_at_ms,
        bucket.sequence + 1,
        bucket.objects + objects,
        bucket.size_bytes + size_bytes,
        bucket.lake_name,
        bucket.pond_name,
    )
    tx.memo["bucket", bucket.name.name] = moved
    tx.committed[bucket.id] = moved.sequence
    tx.before_commit("buckets", _write_counters)
    return moved


def forget(tx: Transaction) -> None:
    """Read buckets anew from here on: something that their rows are joined with has changed."""
    _write_counters(tx)
    tx.memo.clear()


def _write_counters(tx: Transaction) -> None:
    for key, bucket in tx.memo.items():
        if key[0] == "bucket" and bucket.id in tx.committed:
            tx.run(
                "UPDATE buckets SET sequence = ?, objects = ?, size_bytes = ? WHERE id = ?",
                (bucket.sequence, bucket.objects, bucket.size_bytes, bucket.id),
            )


def insert(tx: Transaction, name: str, lake_id: int, pond_id: int, account_id: str, acl: Acl, now_ms: int) -> Bucket:
    """A new bucket; the log of a name that was used before goes on where it ended."""
    row = tx.row("SELECT max(sequence) FROM buckets WHERE name = ?", (name,))
    sequence = (row[0] if row else None) or 0
    tx.run(
        "INSERT INTO buckets (name, lake_id, pond_id, account_id, acl, created_at_ms, first_sequence, sequence)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, lake_id, pond_id, account_id, acl, now_ms, sequence + 1, sequence),
    )
    return get(tx, name)


def mark_deleted(tx: Transaction, bucket: Bucket, now_ms: int) -> None:
    """The name is free; the row stays for its log."""
    tx.run(
        "UPDATE buckets SET deleted_at_ms = ?, sequence = ?, objects = 0, size_bytes = 0 WHERE id = ?",
        (now_ms, bucket.sequence, bucket.id),
    )
    tx.memo.pop(("bucket", bucket.name.name), None)


def set_acl(tx: Transaction, bucket: Bucket, acl: Acl) -> None:
    tx.run("UPDATE buckets SET acl = ? WHERE id = ?", (acl, bucket.id))
    tx.memo["bucket", bucket.name.name] = replace(bucket, acl=acl)


def origin(reader: Reader, bucket_id: int) -> int:
    """The sequence after which the bucket's own log began: the last of those that had its name before."""
    sql = """
    SELECT coalesce(max(former.sequence), 0)
    FROM buckets b JOIN buckets former ON former.name = b.name AND former.id < b.id
    WHERE b.id = ?
    """
    row = reader.row(sql, (bucket_id,))
    return int(row[0]) if row else 0


def first_sequence(reader: Reader, bucket_id: int) -> int:
    """The first sequence that the bucket's log still holds."""
    row = reader.row("SELECT first_sequence FROM buckets WHERE id = ?", (bucket_id,))
    return int(row[0]) if row else 1
