"""Objects: the current version of each key, and where its bytes are."""

from __future__ import annotations

from collections.abc import Iterable

from elasticlake.metadata.attributes import dump, dump_checksum, load, load_checksum
from elasticlake.metadata.database import Reader, Row, Transaction
from elasticlake.model.objects import Attributes, BlobPart, Content, ListedObject, ObjectVersion

COLUMNS = """
o.key, o.sequence, o.size_bytes, o.etag, o.modified_at_ms, o.content_type, o.headers, o.metadata, o.acl, o.checksum,
o.parts_count, o.version_id, o.inline_id, o.manifest_id
"""
_GET = f"SELECT {COLUMNS} FROM objects o WHERE o.bucket_id = ? AND o.key = ?"
# One statement, so that the row and its body are of the same moment.
_GET_WITH_BODY = (
    f"SELECT {COLUMNS}, i.body FROM objects o LEFT JOIN inline_bodies i ON i.id = o.inline_id"
    " WHERE o.bucket_id = ? AND o.key = ?"
)
_PUT = """
INSERT INTO objects (bucket_id, key, sequence, version_id, size_bytes, etag, modified_at_ms, content_type, headers,
                     metadata, acl, checksum, parts_count, inline_id, manifest_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (bucket_id, key) DO UPDATE SET
    sequence = excluded.sequence, version_id = excluded.version_id, size_bytes = excluded.size_bytes,
    etag = excluded.etag, modified_at_ms = excluded.modified_at_ms, content_type = excluded.content_type,
    headers = excluded.headers, metadata = excluded.metadata, acl = excluded.acl, checksum = excluded.checksum,
    parts_count = excluded.parts_count,
    inline_id = excluded.inline_id, manifest_id = excluded.manifest_id
"""
_LIST = """
SELECT key, size_bytes, etag, modified_at_ms, checksum FROM objects
WHERE bucket_id = ? AND key >= ? ORDER BY key LIMIT ?
"""


def from_row(row: Row) -> ObjectVersion:
    """The version that a row of `COLUMNS` is."""
    (
        key, sequence, size_bytes, etag, modified_at_ms, content_type, headers, metadata, acl, checksum,
        parts_count, version_id, inline_id, manifest_id,
    ) = row  # fmt: skip
    return ObjectVersion(
        key,
        sequence,
        size_bytes,
        etag,
        modified_at_ms,
        Attributes(content_type, load(headers), load(metadata)),
        acl,
        load_checksum(checksum),
        Content(inline_id, manifest_id),
        parts_count,
        version_id,
    )


_UNREAD = object()


def get(reader: Reader, bucket_id: int, key: bytes) -> ObjectVersion | None:
    held = reader.memo.get(("object", bucket_id, key), _UNREAD)
    if held is not _UNREAD:
        return held  # type: ignore[no-any-return]
    row = reader.row(_GET, (bucket_id, key))
    return from_row(row) if row else None


def get_with_body(reader: Reader, bucket_id: int, key: bytes) -> tuple[ObjectVersion, bytes | None] | None:
    """The object, and its body where that is inline."""
    row = reader.row(_GET_WITH_BODY, (bucket_id, key))
    return (from_row(row[:-1]), row[-1]) if row else None


def put(tx: Transaction, bucket_id: int, version: ObjectVersion) -> None:
    """Make `version` the current version of its key."""
    attributes, content = version.attributes, version.content
    tx.run(
        _PUT,
        (
            bucket_id,
            version.key,
            version.sequence,
            version.version_id,
            version.size_bytes,
            version.etag,
            version.modified_at_ms,
            attributes.content_type,
            dump(attributes.headers),
            dump(attributes.metadata),
            version.acl,
            dump_checksum(version.checksum),
            version.parts_count,
            content.inline_id,
            content.manifest_id,
        ),
    )
    _remember(tx, bucket_id, version.key, version)


def _remember(tx: Transaction, bucket_id: int, key: bytes, version: ObjectVersion | None) -> None:
    """What was fetched ahead for the group's mutations is kept true for those that follow."""
    if ("object", bucket_id, key) in tx.memo:
        tx.memo["object", bucket_id, key] = version


def delete(tx: Transaction, bucket_id: int, key: bytes) -> None:
    tx.run("DELETE FROM objects WHERE bucket_id = ? AND key = ?", (bucket_id, key))
    _remember(tx, bucket_id, key, None)


def list_from(reader: Reader, bucket_id: int, start: bytes, limit: int) -> list[ListedObject]:
    """At most `limit` objects from `start` on, in byte order: one seek, then a scan."""
    return [_listed(row) for row in reader.rows(_LIST, (bucket_id, start, limit))]


def _listed(row: Row) -> ListedObject:
    key, size_bytes, etag, modified_at_ms, checksum = row
    if checksum is None:
        return ListedObject(key, size_bytes, etag, modified_at_ms, None, None)
    algorithm, kind, _ = checksum.split(":")
    return ListedObject(key, size_bytes, etag, modified_at_ms, algorithm, kind)


def versions_from(reader: Reader, bucket_id: int, start: bytes, limit: int) -> list[ObjectVersion]:
    """At most `limit` objects from `start` on, with everything that is known of them."""
    sql = f"SELECT {COLUMNS} FROM objects o WHERE o.bucket_id = ? AND o.key >= ? ORDER BY o.key LIMIT ?"
    return [from_row(row) for row in reader.rows(sql, (bucket_id, start, limit))]


def is_empty(reader: Reader, bucket_id: int) -> bool:
    return reader.row("SELECT 1 FROM objects WHERE bucket_id = ? LIMIT 1", (bucket_id,)) is None


def insert_inline(tx: Transaction, body: bytes) -> int:
    """Store a small body; returns its id."""
    identity = tx.new_id("inline_bodies")
    tx.run("INSERT INTO inline_bodies (id, body) VALUES (?, ?)", (identity, body))
    return identity


def get_inline(reader: Reader, inline_id: int) -> bytes | None:
    row = reader.row("SELECT body FROM inline_bodies WHERE id = ?", (inline_id,))
    return row[0] if row else None


def delete_inline(tx: Transaction, inline_id: int) -> None:
    tx.run("DELETE FROM inline_bodies WHERE id = ?", (inline_id,))


def insert_manifest(tx: Transaction, manifest_id: str, parts: Iterable[BlobPart]) -> None:
    for part in parts:
        tx.run(
            "INSERT INTO manifests (id, part_number, blob_id, size_bytes, checksum) VALUES (?, ?, ?, ?, ?)",
            (manifest_id, part.part_number, part.blob_id, part.size_bytes, part.checksum),
        )


def get_manifest(reader: Reader, manifest_id: str) -> list[BlobPart]:
    """The blobs of a large object, in order."""
    sql = "SELECT part_number, blob_id, size_bytes, checksum FROM manifests WHERE id = ? ORDER BY part_number"
    return [BlobPart(*row) for row in reader.rows(sql, (manifest_id,))]


def delete_manifest(tx: Transaction, manifest_id: str) -> None:
    tx.run("DELETE FROM manifests WHERE id = ?", (manifest_id,))
