"""Bodies into blob stores, and out of them."""

from __future__ import annotations

from elasticlake.blobs.store import BlobStore
from elasticlake.model.ids import new_blob_id

MIB = 1024 * 1024


def body_of(size_bytes: int) -> bytes:
    """Bytes of which no two stretches look alike, so that a part that is lost, doubled or moved shows."""
    numbers = b"".join(number.to_bytes(4, "big") for number in range(min(size_bytes // 4 + 1, 16 * 1024)))
    blocks = range(size_bytes // len(numbers) + 1)
    return b"".join(block.to_bytes(2, "big") + numbers[2:] for block in blocks)[:size_bytes]


async def store(blobs: BlobStore, body: bytes, piece_bytes: int = MIB) -> str:
    """Write a blob in pieces; returns its id."""
    blob_id = new_blob_id()
    writer = await blobs.create(blob_id)
    for start in range(0, len(body), piece_bytes):
        await writer.write(body[start : start + piece_bytes])
    await writer.commit()
    return blob_id


async def read(blobs: BlobStore, blob_id: str, offset: int, size_bytes: int) -> bytes:
    """A range in one piece."""
    return b"".join([bytes(piece) async for piece in blobs.read(blob_id, offset, size_bytes)])


async def ids(blobs: BlobStore) -> list[str]:
    """Every id, in order."""
    return sorted([blob_id async for blob_id in blobs.ids()])
