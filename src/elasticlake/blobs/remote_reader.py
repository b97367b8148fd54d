"""A blob on its way from an object store: streamed, and resumed where the connection broke."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import obstore
from obstore.store import ObjectStore

from elasticlake.blobs.remote_faults import FAULTS, is_missing, translated, translation
from elasticlake.blobs.store import BlobMissing

PIECE_BYTES = 512 * 1024
RESUMPTIONS = 4
"""How often in a row a stream may break without having brought anything."""
PAUSE_SECONDS = 0.1
"""Before a stream that broke is resumed; twice as long each further time."""


async def read_blob(store: ObjectStore, name: str, offset: int, size_bytes: int) -> AsyncIterator[bytes]:
    """The bytes in pieces; one is read ahead while the one before it is being sent.

    Raises `BlobMissing` if the blob is not there or is too short, and `Unavailable` for the rest.
    """
    async with aclosing(_pieces(store, name, offset, offset + size_bytes)) as pieces:
        ahead = asyncio.ensure_future(anext(pieces, None))
        try:
            while (piece := await ahead) is not None:
                ahead = asyncio.ensure_future(anext(pieces, None))
                yield piece
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


async def _pieces(store: ObjectStore, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
    """The bytes from `start` to `end`, over as many streams as it takes."""
    if start >= end:
        await _require(store, name)
    broken = 0
    while start < end:
        stream = await _open(store, name, start, end)
        fault: Exception = EOFError(f"the stream ended at byte {start}")
        try:
            async for piece in stream:
                broken, start = 0, start + len(piece)
                yield piece
        except FAULTS as error:
            fault = error
        if start < end:
            await _pause(name, broken, fault)
            broken += 1


async def _pause(name: str, broken: int, fault: Exception) -> None:
    if broken >= RESUMPTIONS:
        raise translation(f"read {name}", fault) from fault
    await asyncio.sleep(PAUSE_SECONDS * 2**broken)


async def _require(store: ObjectStore, name: str) -> None:
    """Raises `BlobMissing`: no store serves a range of no bytes."""
    with translated(f"read {name}"):
        try:
            await obstore.head_async(store, name)
        except FAULTS as fault:
            if is_missing(fault):
                raise BlobMissing from None
            raise


async def _open(store: ObjectStore, name: str, start: int, end: int) -> AsyncIterator[bytes]:
    with translated(f"read {name}"):
        try:
            found = await obstore.get_async(store, name, options={"range": (start, end)})
        except FAULTS as fault:
            if is_missing(fault):
                raise BlobMissing from None
            raise
    if found.range != (start, end):
        raise BlobMissing
    return found.stream(PIECE_BYTES)
