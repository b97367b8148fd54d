"""What the integrity check asks the rows: each kind of damage is seen, and a sound store is not suspected."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest
from tests.unit.metadata.conftest import insert_bucket

from elasticlake.metadata import audit, blob_records, buckets, events, nodes, objects, uploads
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import SqliteTransaction, connect
from elasticlake.model.events import Event
from elasticlake.model.objects import Attributes, BlobPart, Bucket, Content, ObjectVersion, Part


@pytest.fixture
def stored(tx: SqliteTransaction) -> Bucket:
    """A bucket with an inline object, one of a blob, and their events."""
    bucket = insert_bucket(tx, "my-bucket")
    objects.insert_manifest(tx, "manifest", [BlobPart(1, "blob", 70_000)])
    for number, content in enumerate((Content(objects.insert_inline(tx, b"x")), Content(None, "manifest")), start=1):
        bucket = buckets.advance(tx, bucket, objects=1)
        key = b"key-%d" % number
        version = ObjectVersion(key, number, 1, "etag", 1, Attributes(), "private", None, content)
        objects.put(tx, bucket.id, version)
        described = Event(
            f"evt_{number}",
            bucket.id,
            "my-bucket",
            number,
            "object:created",
            1,
            key,
            1,
            "etag",
            "",
            "l",
            "p",
            "PutObject",
        )
        events.append(tx, described)
    tx.finish()
    return bucket


def test_a_sound_store_is_not_suspected(tx: SqliteTransaction, stored: Bucket) -> None:
    assert tx.faults() == []
    assert audit.buckets(tx) == [audit.AuditedBucket(stored.id, "my-bucket", 1, 2, 2, 0)]
    assert list(audit.sequences(tx, stored.id)) == [1, 2]
    [page] = audit.versions(tx, stored.id)
    assert [version.key for version in page] == [b"key-1", b"key-2"]
    assert audit.last_events(tx, stored.id, page) == {b"key-1": (1, "etag"), b"key-2": (2, "etag")}
    assert list(audit.inline_bodies(tx, stored.id, page).values()) == [b"x"]
    assert audit.manifests(tx, stored.id, page) == {"manifest": [BlobPart(1, "blob", 70_000)]}
    assert audit.manifests(tx, stored.id, page[:1]) == {}
    assert audit.doomed_blobs(tx) == []
    assert audit.last_events_without_object(tx, stored.id) == []
    assert audit.unreachable_rows(tx) == []


def test_an_object_that_went_without_an_event_is_seen(tx: SqliteTransaction, stored: Bucket) -> None:
    tx.run("DELETE FROM objects WHERE key = ?", (b"key-1",))
    assert audit.last_events_without_object(tx, stored.id) == [(b"key-1", "object:created")]
    assert audit.unreachable_rows(tx) == ["1 inline bodies belong to no object"]


def test_bytes_that_no_object_names_are_seen(tx: SqliteTransaction, stored: Bucket) -> None:
    objects.insert_manifest(tx, "lost", [BlobPart(1, "one", 5), BlobPart(2, "two", 5)])
    assert audit.unreachable_rows(tx) == ["1 manifests belong to no object"]


def test_parts_are_listed_with_the_blobs_that_they_need(tx: SqliteTransaction) -> None:
    uploads.put_part(tx, "upload", Part(3, "etag", 5, "blob", 1, None))
    assert list(audit.parts(tx)) == [[("upload", 3, "blob", 5)]]


def test_blobs_in_use_that_are_queued_for_deletion_are_seen(tx: SqliteTransaction, stored: Bucket) -> None:
    uploads.put_part(tx, "upload", Part(3, "etag", 5, "part", 1, None))
    blob_records.delete_later(tx, ["blob", "part", "other"], 0)
    assert sorted(audit.doomed_blobs(tx)) == ["blob", "part"]


def test_an_object_without_an_event_has_no_last_one(tx: SqliteTransaction, stored: Bucket) -> None:
    tx.run("DELETE FROM events WHERE sequence = 1", ())
    [page] = audit.versions(tx, stored.id)
    assert list(audit.last_events(tx, stored.id, page)) == [b"key-2"]


def test_webhooks_of_a_dispatcher_that_is_no_more_are_counted(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "delivery.db", durable=False)) as connection:
        migrate_sqlite(connection, "delivery")
        tx = SqliteTransaction(connection)
        epoch = nodes.register(tx, "dispatcher", "one")
        nodes.claim(tx, ["wh_1", "wh_2"], epoch)
        nodes.claim(tx, ["wh_3"], epoch + 1)
        assert audit.unowned_webhooks(tx) == 1


def test_sequences_and_versions_are_read_in_pieces_without_a_seam(
    tx: SqliteTransaction, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, connection: apsw.Connection
) -> None:
    monkeypatch.setattr(audit, "_BATCH", 3)
    for number in range(1, 9):
        key = b"%d" % number
        objects.put(tx, bucket.id, ObjectVersion(key, 1, 0, "", 1, Attributes(), "private", None, Content()))
        connection.execute(
            "INSERT INTO events (bucket_id, sequence, id, type, time_ms, key, size_bytes, etag, content_type, lake,"
            " pond, reason) VALUES (?, ?, '', '', 0, ?, 0, '', '', '', '', '')",
            (bucket.id, number, key),
        )
    assert list(audit.sequences(tx, bucket.id)) == list(range(1, 9))
    assert [len(page) for page in audit.versions(tx, bucket.id)] == [3, 3, 2]
    for number in range(7):
        uploads.put_part(tx, "upload", Part(number, "etag", 5, "blob", 1, None))
    assert [len(page) for page in audit.parts(tx)] == [3, 3, 1]
