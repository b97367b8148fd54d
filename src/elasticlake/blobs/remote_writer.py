"""A blob on its way to an object store: one request if it is small, else a multipart upload."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import obstore
from obstore.store import ObjectStore

from elasticlake.blobs.remote_faults import FAULTS, is_missing, translated, translation
from elasticlake.errors import Unavailable

PART_BYTES = 8 * 1024 * 1024
"""A blob of up to so many bytes is one PUT."""
PARTS_UNDER_WAY = 2
ABORT_SECONDS = 3.0
"""How long a request waits for its blob to be cleared away; that itself goes on."""

# obstore begins a multipart upload when its buffer is full, and cuts parts of the buffer's size.
_BUFFER_BYTES = PART_BYTES + 1


class Abandoned(Exception):
    """Tells obstore to give an upload up."""


class RemoteWriter:
    """A `BlobWriter`. Holds a part that fills and `PARTS_UNDER_WAY` more, whatever the blob's size.

    Steps run one after another, and to their end: a request that is dropped half-way leaves an upload that nobody
    knows of. A gateway that dies does leave such uploads. They are invisible; the store's own lifecycle rule
    (`AbortIncompleteMultipartUpload`) has to remove them, since only it knows that no other writer needs them.
    """

    def __init__(self, store: ObjectStore, name: str, clearing: set[asyncio.Task[None]]) -> None:
        """`clearing` keeps the tasks of aborts that outlive their request."""
        self._store = store
        self._name = name
        self._clearing = clearing
        self._file = obstore.open_writer_async(store, name, buffer_size=_BUFFER_BYTES, max_concurrency=PARTS_UNDER_WAY)
        self._turn = asyncio.Lock()
        self._usable = True
        self._closed = False

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        # The store keeps what it is given until it is sent; the caller's buffer is filled anew before that.
        copy = bytes(data)
        await self._in_turn("write", lambda: self._file.write(copy))

    async def commit(self) -> None:
        await self._in_turn("commit", self._close)

    async def abort(self) -> None:
        """Never raises for the store's sake: what it does not clear away now is invisible, or swept later."""
        clearing = asyncio.create_task(self._discard())
        self._clearing.add(clearing)
        clearing.add_done_callback(self._clearing.discard)
        await asyncio.wait({clearing}, timeout=ABORT_SECONDS)

    async def _in_turn(self, action: str, step: Callable[[], Awaitable[Any]]) -> None:
        await asyncio.shield(asyncio.ensure_future(self._step(action, step)))

    async def _step(self, action: str, step: Callable[[], Awaitable[Any]]) -> None:
        async with self._turn:
            if not self._usable:
                raise Unavailable
            # After a fault the upload has a hole: nothing more may be added, and least of all its end.
            self._usable = False
            with translated(f"{action} {self._name}"):
                await step()
            self._usable = not self._closed

    async def _close(self) -> None:
        self._closed = True
        await self._file.close()

    async def _discard(self) -> None:
        async with self._turn:
            self._usable = False
            try:
                await (self._delete() if self._closed else self._give_up())
            except FAULTS as fault:
                if not is_missing(fault):
                    translation(f"abort {self._name}", fault)

    async def _give_up(self) -> None:
        self._closed = True
        await self._file.__aexit__(Abandoned, Abandoned(), None)

    async def _delete(self) -> None:
        """A commit that failed may have succeeded at the store, whose answer was lost."""
        await obstore.delete_async(self._store, self._name)
