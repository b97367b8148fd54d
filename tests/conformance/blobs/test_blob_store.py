"""What every `BlobStore` promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import pytest
from tests.conformance.blobs.bodies import MIB, body_of, ids, read, store

from elasticlake.blobs.store import BlobMissing, BlobStore
from elasticlake.model.ids import new_blob_id

PART = 8 * MIB
"""What an object store takes in one request; files know no such thing."""
BODY = body_of(1_280_000)
"""More than two pieces of a read."""
LARGE = body_of(20 * MIB)


@pytest.mark.parametrize("size_bytes", [0, 1, 1_280_000, PART - 1, PART, PART + 1, 2 * PART + 1, 20 * MIB])
async def test_a_blob_reads_back_byte_for_byte(blobs: BlobStore, size_bytes: int) -> None:
    body = LARGE[:size_bytes]
    blob_id = await store(blobs, body)
    assert await read(blobs, blob_id, 0, size_bytes) == body
    assert await blobs.size(blob_id) == size_bytes
    assert await ids(blobs) == [blob_id]


@pytest.mark.parametrize("piece_bytes", [700, 65_537, 3 * MIB, 20 * MIB])
async def test_pieces_of_any_size_make_a_blob(blobs: BlobStore, piece_bytes: int) -> None:
    body = LARGE[: max(1_000 * piece_bytes, PART)] if piece_bytes < 1_000 else LARGE
    blob_id = await store(blobs, body, piece_bytes)
    assert await read(blobs, blob_id, 0, len(body)) == body


@pytest.mark.parametrize(("offset", "size_bytes"), [(0, 1), (1, 700_000), (len(BODY) - 1, 1), (524_288, 3), (7, 0)])
async def test_any_range_reads_back(blobs: BlobStore, offset: int, size_bytes: int) -> None:
    blob_id = await store(blobs, BODY)
    assert await read(blobs, blob_id, offset, size_bytes) == BODY[offset : offset + size_bytes]


async def test_ranges_across_parts_read_back(blobs: BlobStore) -> None:
    blob_id = await store(blobs, LARGE)
    for offset, size_bytes in [(PART - 1, 2), (PART, 1), (PART + 1, PART), (PART - 3, PART + 6), (20 * MIB - 1, 1)]:
        assert await read(blobs, blob_id, offset, size_bytes) == LARGE[offset : offset + size_bytes]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_any_buffer_can_be_written(blobs: BlobStore, kind: type) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    await writer.write(kind(b"buffer"))
    await writer.commit()
    assert await read(blobs, blob_id, 0, 6) == b"buffer"


async def test_a_buffer_can_be_filled_anew_once_it_is_written(blobs: BlobStore) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    buffer = bytearray(MIB)
    for number in range(20):
        buffer[:] = LARGE[number * MIB : (number + 1) * MIB]
        await writer.write(buffer)
    await writer.commit()
    assert await read(blobs, blob_id, 0, len(LARGE)) == LARGE


async def test_pieces_given_at_once_keep_their_order(blobs: BlobStore) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    await asyncio.gather(*(writer.write(LARGE[start : start + MIB]) for start in range(0, len(LARGE), MIB)))
    await writer.commit()
    assert await read(blobs, blob_id, 0, len(LARGE)) == LARGE


@pytest.mark.parametrize("size_bytes", [4, 20 * MIB])
async def test_a_blob_is_invisible_until_it_is_committed(blobs: BlobStore, size_bytes: int) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    for start in range(0, size_bytes, MIB):
        await writer.write(LARGE[start : start + min(MIB, size_bytes)])
    assert await ids(blobs) == []
    assert await blobs.size(blob_id) is None
    with pytest.raises(BlobMissing):
        await read(blobs, blob_id, 0, 4)
    await writer.commit()
    assert await ids(blobs) == [blob_id]


@pytest.mark.parametrize("size_bytes", [0, 4, 20 * MIB])
@pytest.mark.parametrize("commits", [False, True], ids=["under way", "committed"])
async def test_an_aborted_blob_leaves_nothing(blobs: BlobStore, size_bytes: int, commits: bool) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    await writer.write(LARGE[:size_bytes])
    if commits:
        await writer.commit()
    await writer.abort()
    assert await ids(blobs) == []
    assert await blobs.size(blob_id) is None


async def test_a_writer_that_is_cancelled_in_the_middle_can_be_aborted(blobs: BlobStore) -> None:
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    await writer.write(LARGE)
    writing = [asyncio.create_task(writer.write(LARGE[: 9 * MIB])) for _ in range(3)]
    await asyncio.sleep(0.002)
    for task in writing:
        task.cancel()
    await asyncio.gather(*writing, return_exceptions=True)
    await writer.abort()
    assert await ids(blobs) == []
    assert await blobs.size(blob_id) is None


@pytest.mark.parametrize("taken", [0, 1])
async def test_a_reader_may_go_at_any_time(blobs: BlobStore, taken: int) -> None:
    blob_id = await store(blobs, LARGE)
    for _ in range(20):
        pieces = cast("AsyncGenerator[bytes, None]", blobs.read(blob_id, 0, len(LARGE)))
        for _ in range(taken):
            await anext(pieces)
        reading = asyncio.create_task(anext(pieces))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await pieces.aclose()
    assert await read(blobs, blob_id, 0, len(LARGE)) == LARGE


@pytest.mark.parametrize("size_bytes", [0, 1])
async def test_a_missing_blob_is_said_to_be_missing_before_any_byte(blobs: BlobStore, size_bytes: int) -> None:
    with pytest.raises(BlobMissing):
        await read(blobs, new_blob_id(), 0, size_bytes)


@pytest.mark.parametrize(("offset", "size_bytes"), [(0, 6), (4, 2), (5, 1), (99, 1)])
async def test_a_blob_that_is_too_short_is_damaged(blobs: BlobStore, offset: int, size_bytes: int) -> None:
    blob_id = await store(blobs, b"short")
    pieces = blobs.read(blob_id, offset, size_bytes)
    with pytest.raises(BlobMissing):
        await anext(pieces)


async def test_deleting_takes_what_is_there_and_does_not_mind_what_is_not(blobs: BlobStore) -> None:
    kept, dropped = await store(blobs, b"kept"), await store(blobs, b"dropped")
    await blobs.delete([])
    await blobs.delete([dropped, new_blob_id()])
    await blobs.delete([dropped])
    assert await ids(blobs) == [kept]
    with pytest.raises(BlobMissing):
        await read(blobs, dropped, 0, 1)


async def test_more_than_a_batch_is_deleted(blobs: BlobStore) -> None:
    kept = await store(blobs, b"kept")
    dropped = [await store(blobs, b"dropped") for _ in range(3)]
    gone = [new_blob_id() for _ in range(600)]
    await blobs.delete([*dropped[:1], *gone, *dropped[1:2], *gone, *dropped[2:]])
    assert await ids(blobs) == [kept]


async def test_a_reader_finishes_after_the_blob_was_deleted(blobs: BlobStore) -> None:
    """The grace period is for readers that have not begun; one that has keeps what it opened."""
    blob_id = await store(blobs, BODY)
    pieces = blobs.read(blob_id, 0, len(BODY))
    first = await anext(pieces)
    await blobs.delete([blob_id])
    assert first + b"".join([piece async for piece in pieces]) == BODY


async def test_many_write_and_read_at_once(blobs: BlobStore) -> None:
    bodies = [bytes([number]) * 70_000 for number in range(24)]
    stored = await asyncio.gather(*(store(blobs, body) for body in bodies))
    assert await asyncio.gather(*(read(blobs, blob_id, 0, 70_000) for blob_id in stored)) == bodies
    assert await ids(blobs) == sorted(stored)


async def test_free_space_is_known_or_said_not_to_be(blobs: BlobStore) -> None:
    free_bytes = blobs.free_bytes()
    assert free_bytes is None or free_bytes > 0
