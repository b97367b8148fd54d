import pytest

from elasticlake.errors import Unavailable
from elasticlake.metadata import blob_records, objects, uploads
from elasticlake.metadata.sqlite import SqliteTransaction
from elasticlake.model.objects import Attributes, BlobPart, Part, Upload


def test_an_intent_is_consumed_once(tx: SqliteTransaction) -> None:
    blob_records.insert_intent(tx, "blob", "gateway-0", 1)
    assert blob_records.unknown(tx, ["blob"]) == []
    blob_records.consume_intent(tx, "blob")
    assert blob_records.unknown(tx, ["blob"]) == ["blob"]
    with pytest.raises(Unavailable):
        blob_records.consume_intent(tx, "blob")


def test_intents_of_a_dead_writer_and_very_old_ones_are_given_up_others_are_not(tx: SqliteTransaction) -> None:
    for blob_id, owner, made_at_ms in (("mine", "me", 100), ("old", "other", 10), ("live", "other", 100)):
        blob_records.insert_intent(tx, blob_id, owner, made_at_ms)
    assert blob_records.abandon_of_owner(tx, "me", 101, 200) == 1
    assert blob_records.abandon_intents(tx, 50, 200) == 1
    assert sorted(blob_records.due_deletions(tx, 200, 10)) == ["mine", "old"]
    blob_records.consume_intent(tx, "live")


def test_deletions_come_due_in_their_time_and_order(tx: SqliteTransaction) -> None:
    blob_records.delete_later(tx, ["late"], 30)
    blob_records.delete_later(tx, ["first", "second"], 10)
    assert blob_records.due_deletions(tx, 9, 10) == []
    assert sorted(blob_records.due_deletions(tx, 29, 10)) == ["first", "second"]
    assert len(blob_records.due_deletions(tx, 30, 2)) == 2
    blob_records.forget_deletions(tx, ["first", "second"])
    assert blob_records.due_deletions(tx, 30, 10) == ["late"]


def test_the_blobs_of_a_manifest_are_queued_together(tx: SqliteTransaction) -> None:
    objects.insert_manifest(tx, "manifest", [BlobPart(1, "a", 5), BlobPart(2, "b", 5), BlobPart(3, "a", 5)])
    objects.insert_manifest(tx, "other", [BlobPart(1, "c", 5)])
    blob_records.delete_later(tx, ["b"], 5)
    blob_records.delete_manifest_later(tx, "manifest", 10)
    assert blob_records.due_deletions(tx, 5, 10) == ["b"]
    assert sorted(blob_records.due_deletions(tx, 10, 10)) == ["a", "b"]


def test_the_blobs_of_a_bucket_s_uploads_are_queued_together(tx: SqliteTransaction) -> None:
    for upload_id, bucket_id, blob_id in (("1", 1, "a"), ("2", 1, "b"), ("3", 1, "a"), ("4", 1, ""), ("5", 2, "c")):
        upload = Upload(upload_id, bucket_id, b"key", 5, Attributes(), "private", None, None, "root")
        uploads.insert(tx, upload)
        uploads.put_part(tx, upload_id, Part(1, "etag", 5, blob_id, 1, None))
    blob_records.delete_uploads_later(tx, 1, 10)
    assert blob_records.due_deletions(tx, 9, 10) == []
    assert sorted(blob_records.due_deletions(tx, 10, 10)) == ["a", "b"]


@pytest.mark.parametrize("row", ["intent", "deletion", "manifest", "part"])
def test_a_blob_that_any_row_names_is_known(tx: SqliteTransaction, row: str) -> None:
    assert blob_records.unknown(tx, ["blob"]) == ["blob"]
    match row:
        case "intent":
            blob_records.insert_intent(tx, "blob", "me", 1)
        case "deletion":
            blob_records.delete_later(tx, ["blob"], 1)
        case "manifest":
            objects.insert_manifest(tx, "manifest", [BlobPart(1, "blob", 5)])
        case "part":
            uploads.put_part(tx, "upload", Part(1, "etag", 5, "blob", 1, None))
    assert blob_records.unknown(tx, ["blob"]) == []


def test_named_blobs_come_once_in_pages_whatever_names_them(
    tx: SqliteTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_records, "_PAGE", 2)
    for number, blob_id in enumerate(("b", "a", "")):
        tx.run("INSERT INTO manifests VALUES ('m', ?, ?, 1, NULL)", (number, blob_id))
    for number, blob_id in enumerate(("c", "")):
        tx.run("INSERT INTO parts VALUES ('u', ?, 'etag', 1, ?, 0, NULL)", (number, blob_id))
    blob_records.insert_intent(tx, "d", "owner", 0)
    assert list(blob_records.named(tx)) == [["a", "b"], ["c"]]
    assert blob_records.count_named(tx) == 3
