"""What every `BlobStore` promises."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.blobs.store import BlobMissing, BlobStore
from elasticlake.model.ids import new_blob_id

BODY = bytes(range(256)) * 5000
"""More than two pieces of a read."""


@pytest_asyncio.fixture(params=["files"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    stores = {"files": lambda: FileBlobs(tmp_path / "blobs", LocalDisk(), threads=3)}
    store = stores[request.param]()
    yield store
    store.close()


async def store(blobs: BlobStore, body: bytes, pieces: int = 3) -> str:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    step = len(body) // pieces + 1
    for start in range(0, len(body), step):
        await writer.write(body[start : start + step])
    await writer.commit()
    return blob_id


async def read(blobs: BlobStore, blob_id: str, offset: int, size_bytes: int) -> bytes:
    return b"".join([bytes(piece) async for piece in blobs.read(blob_id, offset, size_bytes)])


@pytest.mark.parametrize("body", [b"", b"x", BODY], ids=["empty", "one byte", "long"])
async def test_a_blob_reads_back_byte_for_byte(blobs: BlobStore, body: bytes) -> None:
    blob_id = await store(blobs, body)
    assert await read(blobs, blob_id, 0, len(body)) == body
    assert blobs.size(blob_id) == len(body)


@pytest.mark.parametrize(("offset", "size_bytes"), [(0, 1), (1, 700_000), (len(BODY) - 1, 1), (524_288, 3), (7, 0)])
async def test_any_range_reads_back(blobs: BlobStore, offset: int, size_bytes: int) -> None:
    blob_id = await store(blobs, BODY)
    assert await read(blobs, blob_id, offset, size_bytes) == BODY[offset : offset + size_bytes]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_any_buffer_can_be_written(blobs: BlobStore, kind: type) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    await writer.write(kind(b"buffer"))
    await writer.commit()
    assert await read(blobs, blob_id, 0, 6) == b"buffer"


async def test_a_blob_is_invisible_until_it_is_committed(blobs: BlobStore) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    await writer.write(b"data")
    assert list(blobs.ids()) == []
    assert blobs.size(blob_id) is None
    with pytest.raises(BlobMissing):
        await read(blobs, blob_id, 0, 4)
    await writer.commit()
    assert list(blobs.ids()) == [blob_id]


async def test_an_aborted_blob_leaves_nothing(blobs: BlobStore) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    await writer.write(b"data")
    await writer.abort()
    assert list(blobs.ids()) == []
    assert blobs.size(blob_id) is None


async def test_a_missing_blob_is_said_to_be_missing_before_any_byte(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        await read(blobs, new_blob_id(), 0, 1)


async def test_a_blob_that_is_too_short_is_damaged(blobs: BlobStore) -> None:
    blob_id = await store(blobs, b"short")
    with pytest.raises(BlobMissing):
        await read(blobs, blob_id, 0, 6)


async def test_deleting_takes_what_is_there_and_does_not_mind_what_is_not(blobs: BlobStore) -> None:
    kept, dropped = await store(blobs, b"kept"), await store(blobs, b"dropped")
    await blobs.delete([dropped, new_blob_id()])
    await blobs.delete([dropped])
    assert list(blobs.ids()) == [kept]
    with pytest.raises(BlobMissing):
        await read(blobs, dropped, 0, 1)


async def test_a_reader_finishes_after_the_blob_was_deleted(blobs: BlobStore) -> None:
    """The grace period is for readers that have not begun; one that has keeps what it opened."""
    blob_id = await store(blobs, BODY)
    pieces = blobs.read(blob_id, 0, len(BODY))
    first = await anext(pieces)
    await blobs.delete([blob_id])
    assert first + b"".join([piece async for piece in pieces]) == BODY


async def test_many_write_and_read_at_once(blobs: BlobStore) -> None:
    bodies = [bytes([number]) * 70_000 for number in range(24)]
    ids = await asyncio.gather(*(store(blobs, body) for body in bodies))
    assert await asyncio.gather(*(read(blobs, blob_id, 0, 70_000) for blob_id in ids)) == bodies
    assert sorted(blobs.ids()) == sorted(ids)


async def test_free_space_is_known_or_said_not_to_be(blobs: BlobStore) -> None:
    free_bytes = blobs.free_bytes()
    assert free_bytes is None or free_bytes > 0
