"""Receiving bodies: inline or blob, whole or nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable

import pytest
from tests.unit.world import World

from elasticlake.blobs.digests import Digests
from elasticlake.errors import ChecksumMismatch, EntityTooLarge, IncompleteBody
from elasticlake.service import intake
from elasticlake.service.intake import INLINE_BYTES, receive


class Pieces:
    """A body of given pieces."""

    algorithms = frozenset({"sha256"})

    def __init__(self, pieces: Iterable[bytes], length: int | None = None, fault: BaseException | None = None) -> None:
        self.pieces = list(pieces)
        self.length = length
        self.fault = fault

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        for piece in self.pieces:
            yield memoryview(piece)
        if isinstance(self.fault, IncompleteBody):
            raise self.fault

    async def whole(self) -> bytes:
        return b"".join([bytes(piece) async for piece in self])

    def verify(self, digests: Digests) -> None:
        assert digests.digest("sha256") == hashlib.sha256(b"".join(self.pieces)).digest()
        if self.fault is not None:
            raise self.fault


async def intents(world: World) -> int:
    """How many blobs are announced and named by no row."""
    return await world.core.read(lambda reader: reader.rows("SELECT count(*) FROM blob_intents")[0][0])


def files(world: World) -> list[str]:
    return [path.name for path in (world.folder / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("pieces", [[], [b"body"], [b"x"] * 100, [bytes(INLINE_BYTES)]])
async def test_small_bodies_are_inline(world: World, pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    received = await receive(world.stores, Pieces(pieces, len(body)))
    assert (received.inline, received.blob_id, received.size_bytes) == (body, None, len(body))
    assert received.etag == hashlib.md5(body).hexdigest()
    assert [blob_id async for blob_id in world.stores.blobs.ids()] == []
    assert await intents(world) == 0


@pytest.mark.parametrize("size_bytes", [INLINE_BYTES + 1, 1024 * 1024, 3 * 1024 * 1024 + 17])
async def test_larger_bodies_are_blobs(world: World, size_bytes: int) -> None:
    body = bytes(range(256)) * (size_bytes // 256 + 1)
    body = body[:size_bytes]
    received = await receive(world.stores, Pieces([body[:10], body[10:700_000], body[700_000:]], size_bytes))
    assert received.inline is None
    assert received.blob_id is not None
    assert received.size_bytes == size_bytes
    assert received.etag == hashlib.md5(body).hexdigest()
    assert b"".join([piece async for piece in world.stores.blobs.read(received.blob_id, 0, size_bytes)]) == body
    assert await intents(world) == 1


async def test_a_part_is_never_inline_and_an_empty_one_is_nothing(world: World) -> None:
    part = await receive(world.stores, Pieces([b"x"]), inline_bytes=0)
    assert [blob_id async for blob_id in world.stores.blobs.ids()] == [part.blob_id]
    empty = await receive(world.stores, Pieces([]), inline_bytes=0)
    assert (empty.blob_id, empty.inline) == (None, b"")


@pytest.mark.parametrize("size_bytes", [10, INLINE_BYTES + 10])
@pytest.mark.parametrize(
    ("difference", "fault", "error"),
    [
        (1, None, IncompleteBody),
        (-1, None, IncompleteBody),
        (0, IncompleteBody(), IncompleteBody),
        (0, ChecksumMismatch("CRC32"), ChecksumMismatch),
        (0, asyncio.CancelledError(), asyncio.CancelledError),
    ],
)
async def test_a_body_that_is_not_as_announced_leaves_nothing(
    world: World, size_bytes: int, difference: int, fault: BaseException | None, error: type[BaseException]
) -> None:
    body = Pieces([bytes(size_bytes)], size_bytes + difference, fault)
    with pytest.raises(error):
        await receive(world.stores, body)
    assert files(world) == []
    assert await intents(world) == 0


async def test_more_than_one_put_may_carry(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no length was announced, the bytes are counted."""
    monkeypatch.setattr(intake, "MAX_PUT_BYTES", 2 * 1024 * 1024)
    with pytest.raises(EntityTooLarge):
        await receive(world.stores, Pieces([bytes(1024 * 1024)] * 3))
    assert files(world) == []
