from dataclasses import replace

from elasticlake.metadata import uploads
from elasticlake.metadata.sqlite import SqliteTransaction
from elasticlake.metadata.uploads import CompletedUpload
from elasticlake.model.objects import Attributes, Checksum, Part, Upload

UPLOAD = Upload("id", 1, b"key", 5, Attributes("text/plain", {}, {"a": "b"}), "private", "SHA256", "COMPOSITE", "root")
PART = Part(1, "etag", 10, "blob", 6, "checksum")


def test_an_upload_comes_back_as_it_began(tx: SqliteTransaction) -> None:
    uploads.insert(tx, UPLOAD)
    assert uploads.get(tx, "id") == UPLOAD
    assert uploads.get(tx, "other") is None
    assert uploads.any_in_bucket(tx, 1)
    assert not uploads.any_in_bucket(tx, 2)


def test_a_part_replaces_the_one_of_its_number(tx: SqliteTransaction) -> None:
    uploads.put_part(tx, "id", PART)
    second = replace(PART, blob_id="second", checksum=None)
    uploads.put_part(tx, "id", second)
    assert uploads.get_part(tx, "id", 1) == second
    assert uploads.get_part(tx, "id", 2) is None


def test_parts_are_listed_by_number(tx: SqliteTransaction) -> None:
    parts = [replace(PART, part_number=number) for number in (10, 2, 1)]
    for part in parts:
        uploads.put_part(tx, "id", part)
    assert uploads.list_parts(tx, "id", 0, -1) == parts[::-1]
    assert uploads.list_parts(tx, "id", 1, 1) == [parts[1]]


def test_an_upload_that_ends_takes_its_parts_along(tx: SqliteTransaction) -> None:
    uploads.insert(tx, UPLOAD)
    uploads.put_part(tx, "id", PART)
    uploads.put_part(tx, "other", PART)
    assert uploads.delete(tx, "id") == [PART]
    assert uploads.get(tx, "id") is None
    assert uploads.list_parts(tx, "id", 0, -1) == []
    assert uploads.list_parts(tx, "other", 0, -1) == [PART]


def test_the_uploads_of_a_bucket_take_their_parts_along(tx: SqliteTransaction) -> None:
    for identity, bucket_id in (("1", 1), ("2", 1), ("3", 2)):
        uploads.insert(tx, replace(UPLOAD, id=identity, bucket_id=bucket_id))
        uploads.put_part(tx, identity, PART)
    uploads.delete_of_bucket(tx, 1)
    assert not uploads.any_in_bucket(tx, 1)
    assert uploads.any_in_bucket(tx, 2)
    assert [uploads.list_parts(tx, identity, 0, -1) for identity in ("1", "2", "3")] == [[], [], [PART]]


def test_uploads_are_listed_by_key_and_id(tx: SqliteTransaction) -> None:
    for identity, key in (("2", b"a"), ("1", b"a"), ("3", b"b"), ("0", b"c")):
        uploads.insert(tx, replace(UPLOAD, id=identity, key=key))
    uploads.insert(tx, replace(UPLOAD, id="9", bucket_id=2))
    assert [upload.id for upload in uploads.list_from(tx, 1, b"a", "", 3)] == ["1", "2", "3"]
    assert [upload.id for upload in uploads.list_from(tx, 1, b"a", "1", 2)] == ["2", "3"]
    assert [upload.id for upload in uploads.list_from(tx, 1, b"b", "", 3)] == ["3", "0"]


def test_what_an_upload_became_is_remembered_for_a_while(tx: SqliteTransaction) -> None:
    done = CompletedUpload(1, b"key", "etag-2", Checksum("SHA256", "value-2", "COMPOSITE"))
    uploads.remember_completed(tx, "id", done, 100)
    uploads.forget_completed(tx, 100)
    assert uploads.get_completed(tx, "id") == done
    uploads.forget_completed(tx, 101)
    assert uploads.get_completed(tx, "id") is None
