import pytest
from tests.unit.metadata.conftest import insert_bucket

from elasticlake.errors import NoSuchBucket
from elasticlake.metadata import buckets
from elasticlake.metadata.sqlite import SqliteTransaction
from elasticlake.model.objects import Bucket


def stored(tx: SqliteTransaction, bucket: Bucket) -> tuple[int, int, int]:
    row = tx.row("SELECT sequence, objects, size_bytes FROM buckets WHERE id = ?", (bucket.id,))
    assert row is not None
    return row


def test_a_new_bucket_is_empty_and_knows_its_place(tx: SqliteTransaction, bucket: Bucket) -> None:
    assert (bucket.sequence, bucket.objects, bucket.size_bytes) == (0, 0, 0)
    assert (bucket.name.lake, bucket.name.pond) == ("default", "default")
    assert (bucket.lake_name, bucket.pond_name) == ("Default lake", "Default pond")
    assert buckets.first_sequence(tx, bucket.id) == 1


def test_counters_move_in_the_memo_and_are_written_once_at_the_end(tx: SqliteTransaction, bucket: Bucket) -> None:
    for number in range(1, 4):
        moved = buckets.advance(tx, buckets.get(tx, "my-bucket"), objects=1, size_bytes=10)
        assert (moved.sequence, moved.objects, moved.size_bytes) == (number, number, 10 * number)
    assert stored(tx, bucket) == (0, 0, 0)
    tx.finish()
    assert stored(tx, bucket) == (3, 3, 30)
    assert tx.committed == {bucket.id: 3}


def test_what_was_counted_survives_a_rename_of_what_the_bucket_lies_in(tx: SqliteTransaction, bucket: Bucket) -> None:
    buckets.advance(tx, bucket, objects=1)
    buckets.forget(tx)
    assert stored(tx, bucket) == (1, 1, 0)
    assert buckets.get(tx, "my-bucket").sequence == 1


def test_a_deleted_bucket_frees_its_name_and_the_next_of_that_name_goes_on_with_its_log(
    tx: SqliteTransaction, bucket: Bucket
) -> None:
    """I3, also when it all happens in one group of mutations."""
    moved = buckets.advance(tx, bucket)
    buckets.mark_deleted(tx, moved, 9)
    with pytest.raises(NoSuchBucket):
        buckets.get(tx, "my-bucket")
    again = insert_bucket(tx, "my-bucket")
    assert again.id != bucket.id
    assert again.sequence == 1
    assert buckets.first_sequence(tx, again.id) == 2
    tx.finish()
    assert stored(tx, bucket) == (1, 0, 0)
    held = buckets.get_by_id(tx, bucket.id)
    assert held is not None
    assert held.sequence == 1


def test_an_acl_changes_without_touching_the_counters(tx: SqliteTransaction, bucket: Bucket) -> None:
    buckets.set_acl(tx, buckets.advance(tx, bucket, size_bytes=7), "public-read")
    assert buckets.get(tx, "my-bucket").acl == "public-read"
    tx.finish()
    assert stored(tx, bucket) == (1, 0, 7)


def test_pages_are_by_name_and_leave_deleted_buckets_out(tx: SqliteTransaction) -> None:
    made = {name: insert_bucket(tx, name) for name in ("ccc", "aaa", "bbb")}
    buckets.mark_deleted(tx, made["bbb"], 9)
    assert [bucket.name.name for bucket in buckets.page(tx, "", 10)] == ["aaa", "ccc"]
    assert [bucket.name.name for bucket in buckets.page(tx, "aaa", 10, account_id="root")] == ["ccc"]
    assert buckets.page(tx, "", 10, account_id="somebody") == []
