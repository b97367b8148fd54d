"""Receiving a body: hashed, checked and stored piece by piece, held whole only if it is small enough to be inline
(I9)."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from elasticlake.blobs.digests import Digests
from elasticlake.blobs.store import BlobWriter
from elasticlake.blobs.strand import Strand
from elasticlake.errors import EntityTooLarge, IncompleteBody
from elasticlake.metadata import blob_records
from elasticlake.metadata.database import Touching, Transaction
from elasticlake.model.ids import new_blob_id
from elasticlake.model.objects import MAX_PUT_BYTES
from elasticlake.service.context import Stores

T = TypeVar("T")

INLINE_BYTES = 64 * 1024
PIECE_BYTES = 1024 * 1024
PIECES_UNDER_WAY = 2

_hashing = ThreadPoolExecutor(2, thread_name_prefix="hash")


class Body(Protocol):
    """The bytes that a request brings, and what its sender said of them."""

    length: int | None
    """The number of bytes announced."""
    algorithms: frozenset[str]
    """The digests that `verify` needs beside MD5."""

    def __aiter__(self) -> AsyncIterator[bytes | memoryview]: ...

    async def whole(self) -> bytes:
        """All of it at once: for a body whose announced length is small. Raises if it is longer than that."""
        ...

    def verify(self, digests: Digests) -> None:
        """Raises if the bytes are not what the sender said; called after the last, before anything is stored."""
        ...


@dataclass(slots=True)
class Received:
    """A body that is whole and checked: inline, or a durable blob with an intent; nothing refers to it yet."""

    size_bytes: int
    digests: Digests
    inline: bytes | None
    blob_id: str | None

    @property
    def etag(self) -> str:
        return self.digests.digest("md5").hex()


async def receive(stores: Stores, body: Body, *, inline_bytes: int = INLINE_BYTES) -> Received:
    """Take in `body`. On any failure nothing is left but an intent, which the next sweep takes.

    Raises `IncompleteBody` if fewer or more bytes came than announced, `EntityTooLarge` beyond 5 GiB, and what `verify`
    raises.
    """
    digests = Digests(body.algorithms | {"md5"})
    if body.length is not None and body.length <= inline_bytes:
        return _take_inline(body, digests, await body.whole())
    pieces = _Pieces(body)
    head = await pieces.fill(bytearray(inline_bytes + 1))
    if len(head) <= inline_bytes:
        return _take_inline(body, digests, bytes(head))
    return await _receive_blob(stores, body, digests, pieces, head)


def _take_inline(body: Body, digests: Digests, data: bytes) -> Received:
    digests.update(data)
    _require_length(body, len(data))
    body.verify(digests)
    return Received(len(data), digests, data, None)


async def _receive_blob(stores: Stores, body: Body, digests: Digests, pieces: _Pieces, head: memoryview) -> Received:
    blob_id = new_blob_id()
    now_ms = stores.clock.now_ms()
    await stores.database.write(
        lambda tx: blob_records.insert_intent(tx, blob_id, stores.owner, now_ms), touching=Touching()
    )
    try:
        writer = await stores.blobs.create(blob_id)
        try:
            size_bytes = await _stream(writer, digests, pieces, head)
            _require_length(body, size_bytes)
            body.verify(digests)
            await writer.commit()
        except BaseException:
            await asyncio.shield(writer.abort())
            raise
    except BaseException:
        drop = stores.database.write(lambda tx: blob_records.drop_intent(tx, blob_id), touching=Touching())
        await asyncio.shield(drop)
        raise
    return Received(size_bytes, digests, None, blob_id)


async def keep(stores: Stores, received: Received, mutation: Callable[[Transaction], T], touching: Touching) -> T:
    """Commit the transaction that refers to the received body; if it is refused, the bytes go as well."""
    if received.blob_id is not None:
        touching = replace(touching, intents=(received.blob_id,))
    try:
        return await stores.database.write(mutation, touching=touching)
    except BaseException:
        if received.blob_id is not None:
            await asyncio.shield(_let_go(stores, received.blob_id))
        raise


async def _let_go(stores: Stores, blob_id: str) -> None:
    """Delete the blob if its intent is still there: a commit whose outcome is unknown may have consumed it."""
    now_ms = stores.clock.now_ms()
    await stores.database.write(lambda tx: blob_records.abandon_intent(tx, blob_id, now_ms), touching=Touching())


async def _stream(writer: BlobWriter, digests: Digests, pieces: _Pieces, piece: memoryview) -> int:
    """Hash and write in two threads while more is received: a piece in hand, one to follow, and one being filled."""
    hashing = Strand(_hashing)
    buffers = itertools.cycle([bytearray(PIECE_BYTES) for _ in range(PIECES_UNDER_WAY + 1)])
    under_way: deque[asyncio.Future[Any]] = deque()
    size_bytes = 0
    try:
        while piece:
            size_bytes += len(piece)
            if size_bytes > MAX_PUT_BYTES:
                raise EntityTooLarge
            under_way.append(asyncio.gather(hashing.submit(partial(digests.update, piece)), writer.write(piece)))
            while len(under_way) > PIECES_UNDER_WAY:
                await under_way.popleft()
            piece = await pieces.fill(next(buffers))
    finally:
        # The threads use the buffers until they are done, whatever became of the request.
        ended = await asyncio.gather(*under_way, return_exceptions=True)
    for fault in ended:
        if isinstance(fault, BaseException):
            raise fault
    return size_bytes


def _require_length(body: Body, size_bytes: int) -> None:
    if body.length is not None and body.length != size_bytes:
        raise IncompleteBody


class _Pieces:
    """Cuts a body into pieces of the size that is asked for, whatever the sizes it arrives in."""

    def __init__(self, body: Body) -> None:
        self._chunks = aiter(body)
        self._rest = memoryview(b"")

    async def fill(self, buffer: bytearray) -> memoryview:
        """The part of `buffer` that the next bytes filled: all of it, except at the end."""
        view, filled = memoryview(buffer), 0
        while filled < len(view):
            if not self._rest:
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
            count = min(len(self._rest), len(view) - filled)
            view[filled : filled + count] = self._rest[:count]
            self._rest = self._rest[count:]
            filled += count
        return view[:filled]
