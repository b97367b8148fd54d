from dataclasses import replace

import pytest

from elasticlake.metadata import objects
from elasticlake.metadata.sqlite import SqliteTransaction
from elasticlake.model.objects import Attributes, BlobPart, Checksum, Content, ListedObject, ObjectVersion

FULL = ObjectVersion(
    b"key\x00\xff",
    7,
    5,
    "etag",
    1234,
    Attributes("text/plain", {"cache-control": "no-cache"}, {"colour": "größer"}),
    "public-read",
    Checksum("CRC32", "AAAAAA==-2", "COMPOSITE"),
    Content(manifest_id="manifest"),
    2,
)
BARE = ObjectVersion(b"bare", 1, 0, "etag", 1, Attributes(), "private", None, Content())


@pytest.mark.parametrize("version", [FULL, BARE], ids=["everything", "nothing"])
def test_a_version_comes_back_as_it_was_stored(tx: SqliteTransaction, version: ObjectVersion) -> None:
    objects.put(tx, 1, version)
    assert objects.get(tx, 1, version.key) == version
    assert objects.get_with_body(tx, 1, version.key) == (version, None)
    assert objects.get(tx, 2, version.key) is None


def test_a_new_version_replaces_every_column(tx: SqliteTransaction) -> None:
    objects.put(tx, 1, replace(FULL, key=b"key"))
    objects.put(tx, 1, replace(BARE, key=b"key"))
    assert objects.get(tx, 1, b"key") == replace(BARE, key=b"key")


def test_a_small_body_is_read_with_its_row_and_goes_alone(tx: SqliteTransaction) -> None:
    inline_id = objects.insert_inline(tx, b"body")
    version = replace(BARE, content=Content(inline_id=inline_id))
    objects.put(tx, 1, version)
    assert objects.get_with_body(tx, 1, b"bare") == (version, b"body")
    objects.delete_inline(tx, inline_id)
    assert objects.get_inline(tx, inline_id) is None


def test_a_manifest_names_its_blobs_in_order(tx: SqliteTransaction) -> None:
    parts = [BlobPart(2, "two", 20, "sum"), BlobPart(1, "one", 10)]
    objects.insert_manifest(tx, "manifest", parts)
    assert objects.get_manifest(tx, "manifest") == [parts[1], parts[0]]
    objects.delete_manifest(tx, "manifest")
    assert objects.get_manifest(tx, "manifest") == []


def test_lists_begin_at_the_key_and_say_what_listings_need(tx: SqliteTransaction) -> None:
    for key in (b"a", b"b", b"b\x00", b"c"):
        objects.put(tx, 1, replace(FULL, key=key))
    objects.put(tx, 2, replace(FULL, key=b"b"))
    assert objects.list_from(tx, 1, b"b", 2) == [
        ListedObject(b"b", 5, "etag", 1234, "CRC32", "COMPOSITE"),
        ListedObject(b"b\x00", 5, "etag", 1234, "CRC32", "COMPOSITE"),
    ]
    assert [version.key for version in objects.versions_from(tx, 1, b"", 10)] == [b"a", b"b", b"b\x00", b"c"]


def test_a_bucket_is_empty_when_its_last_object_went(tx: SqliteTransaction) -> None:
    objects.put(tx, 1, BARE)
    assert not objects.is_empty(tx, 1)
    objects.delete(tx, 1, BARE.key)
    assert objects.is_empty(tx, 1)
