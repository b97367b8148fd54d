"""What a change of an object lets go of. The rest is tested through the operations that end here."""

from __future__ import annotations

import pytest
from tests.unit.service.tracing import traced
from tests.unit.world import World

from elasticlake.metadata import blob_records, objects
from elasticlake.metadata.database import Transaction
from elasticlake.model.objects import Attributes, BlobPart, Bucket
from elasticlake.service import versions
from elasticlake.service.versions import Change, NewContent

PARTS = 50
GRACE_MS = 1000


async def put_large(world: World, bucket: Bucket) -> list[str]:
    """An object of many parts under `large`; returns its blobs."""
    blob_ids = [f"blob-{number:03d}" for number in range(PARTS)]
    parts = tuple(BlobPart(number + 1, blob_id, 5) for number, blob_id in enumerate(blob_ids))
    new = NewContent(5 * PARTS, "etag", parts=parts, manifest_id="manifest")

    def mutation(tx: Transaction) -> None:
        versions.put(tx, change_of(world, bucket), new, Attributes(), "private", None)

    await world.core.write(mutation)
    return blob_ids


def change_of(world: World, bucket: Bucket) -> Change:
    return Change(bucket, b"large", "DeleteObject", world.request(), world.clock.now_ms(), GRACE_MS)


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.embedded
async def test_an_object_of_many_parts_goes_in_a_few_statements(world: World, replaced: bool) -> None:
    bucket = await world.bucket("bucket")
    blob_ids = await put_large(world, bucket)
    change = change_of(world, bucket)

    def mutation(tx: Transaction) -> None:
        if replaced:
            versions.put(tx, change, NewContent(0, "etag"), Attributes(), "private", None)
        else:
            versions.delete(tx, change)

    with traced(world.folder / "core.db") as statements:
        await world.core.write(mutation)
    assert 0 < sum(statement.changes_rows for statement in statements) < 10
    due_ms = change.now_ms + GRACE_MS
    assert await world.core.read(lambda reader: blob_records.due_deletions(reader, due_ms - 1, PARTS + 1)) == []
    assert sorted(await world.core.read(lambda reader: blob_records.due_deletions(reader, due_ms, 99))) == blob_ids
    assert await world.core.read(lambda reader: objects.get_manifest(reader, "manifest")) == []
