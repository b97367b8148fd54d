"""Multipart uploads under way, their parts, and what completed ones became."""

from __future__ import annotations

from typing import NamedTuple

from elasticlake.metadata.attributes import dump, dump_checksum, load, load_checksum
from elasticlake.metadata.database import Reader, Row, Transaction
from elasticlake.model.objects import Attributes, Checksum, Part, Upload

_COLUMNS = """
SELECT id, bucket_id, key, initiated_at_ms, content_type, headers, metadata, acl, checksum_algorithm, checksum_type,
       account_id
FROM uploads
"""
_PART_COLUMNS = "SELECT part_number, etag, size_bytes, blob_id, modified_at_ms, checksum FROM parts"


class CompletedUpload(NamedTuple):
    """The outcome of an upload that is over."""

    bucket_id: int
    key: bytes
    etag: str
    checksum: Checksum | None


def _upload(row: Row) -> Upload:
    (
        identity, bucket_id, key, initiated_at_ms, content_type, headers, metadata, acl, algorithm, kind, account_id,
    ) = row  # fmt: skip
    attributes = Attributes(content_type, load(headers), load(metadata))
    return Upload(identity, bucket_id, key, initiated_at_ms, attributes, acl, algorithm, kind, account_id)


def insert(tx: Transaction, upload: Upload) -> None:
    attributes = upload.attributes
    tx.run(
        "INSERT INTO uploads (id, bucket_id, key, account_id, initiated_at_ms, content_type, headers, metadata, acl,"
        " checksum_algorithm, checksum_type) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            upload.id,
            upload.bucket_id,
            upload.key,
            upload.account_id,
            upload.initiated_at_ms,
            attributes.content_type,
            dump(attributes.headers),
            dump(attributes.metadata),
            upload.acl,
            upload.checksum_algorithm,
            upload.checksum_type,
        ),
    )


def get(reader: Reader, upload_id: str) -> Upload | None:
    row = reader.row(_COLUMNS + "WHERE id = ?", (upload_id,))
    return _upload(row) if row else None


def list_from(reader: Reader, bucket_id: int, start: bytes, beyond_id: str, limit: int) -> list[Upload]:
    """At most `limit` uploads with key >= `start`, by (key, id), of the first key only those beyond `beyond_id`."""
    sql = _COLUMNS + "WHERE bucket_id = ? AND (key, id) > (?, ?) ORDER BY key, id LIMIT ?"
    return [_upload(row) for row in reader.rows(sql, (bucket_id, start, beyond_id, limit))]


def others_of_key(reader: Reader, bucket_id: int, key: bytes, beyond_id: str) -> list[Upload]:
    """The key's other uploads, by id."""
    sql = _COLUMNS + "WHERE bucket_id = ? AND key = ? AND id > ? ORDER BY id"
    return [_upload(row) for row in reader.rows(sql, (bucket_id, key, beyond_id))]


def any_in_bucket(reader: Reader, bucket_id: int) -> bool:
    return reader.row("SELECT 1 FROM uploads WHERE bucket_id = ? LIMIT 1", (bucket_id,)) is not None


def hold_of_bucket(tx: Transaction, bucket_id: int) -> bool:
    """Keep the bucket's uploads from being changed until the commit; whether there are any."""
    tx.hold("SELECT id FROM uploads WHERE bucket_id = ? ORDER BY id", (bucket_id,))
    return any_in_bucket(tx, bucket_id)


def delete(tx: Transaction, upload_id: str) -> list[Part]:
    """Forget the upload; returns the parts that it had."""
    parts = list_parts(tx, upload_id, 0, -1)
    tx.run("DELETE FROM uploads WHERE id = ?", (upload_id,))
    tx.run("DELETE FROM parts WHERE upload_id = ?", (upload_id,))
    return parts


def delete_of_bucket(tx: Transaction, bucket_id: int) -> None:
    """Forget every upload of the bucket, with its parts."""
    tx.run("DELETE FROM parts WHERE upload_id IN (SELECT id FROM uploads WHERE bucket_id = ?)", (bucket_id,))
    tx.run("DELETE FROM uploads WHERE bucket_id = ?", (bucket_id,))


def put_part(tx: Transaction, upload_id: str, part: Part) -> None:
    tx.run(
        "INSERT INTO parts (upload_id, part_number, etag, size_bytes, blob_id, modified_at_ms, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (upload_id, part_number) DO UPDATE SET etag = excluded.etag,"
        " size_bytes = excluded.size_bytes, blob_id = excluded.blob_id, modified_at_ms = excluded.modified_at_ms,"
        " checksum = excluded.checksum",
        (upload_id, part.part_number, part.etag, part.size_bytes, part.blob_id, part.modified_at_ms, part.checksum),
    )


def get_part(reader: Reader, upload_id: str, part_number: int) -> Part | None:
    row = reader.row(_PART_COLUMNS + " WHERE upload_id = ? AND part_number = ?", (upload_id, part_number))
    return Part(*row) if row else None


def list_parts(reader: Reader, upload_id: str, after: int, limit: int) -> list[Part]:
    """Parts by number beyond `after`; a negative limit means all of them."""
    sql = _PART_COLUMNS + " WHERE upload_id = ? AND part_number > ? ORDER BY part_number LIMIT ?"
    return [Part(*row) for row in reader.rows(sql, (upload_id, after, limit if limit >= 0 else 1_000_000))]


def remember_completed(tx: Transaction, upload_id: str, done: CompletedUpload, now_ms: int) -> None:
    tx.run(
        "INSERT INTO completed_uploads (id, bucket_id, key, etag, checksum, completed_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (upload_id, done.bucket_id, done.key, done.etag, dump_checksum(done.checksum), now_ms),
    )


def get_completed(reader: Reader, upload_id: str) -> CompletedUpload | None:
    sql = "SELECT bucket_id, key, etag, checksum FROM completed_uploads WHERE id = ?"
    row = reader.row(sql, (upload_id,))
    return CompletedUpload(row[0], row[1], row[2], load_checksum(row[3])) if row else None


def forget_completed(tx: Transaction, before_ms: int) -> None:
    tx.run("DELETE FROM completed_uploads WHERE completed_at_ms < ?", (before_ms,))
