"""Blobs as local files: `blobs/ab/abcdef…`, one folder for each first byte of the id, made when its first blob comes.

A write is durable by these steps and no fewer: temporary file → fdatasync → rename → fsync of the folder, whose own
name is synced before (`_Folders`). Disk work runs in threads, so that a slow disk never stops the event loop. A thread
cannot be stopped half-way: whoever gives up a blob waits for the step that is under way, since a handle that is closed
too early may already be another file's.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from elasticlake.blobs.disk import Disk
from elasticlake.blobs.store import BlobMissing
from elasticlake.blobs.strand import Strand
from elasticlake.errors import InsufficientStorage, Unavailable

T = TypeVar("T")

READ_BYTES = 512 * 1024
_FIRST_BYTES = frozenset(f"{number:02x}" for number in range(256))
_FULL = (errno.ENOSPC, errno.EDQUOT)


class _Folders:
    """Where blobs are: in `tmp` while they are written, then in the folder of their first byte.

    That one is made when its first blob comes, and its own name is synced before anything is moved into it. A folder
    that is there need not be safe, since another process may just have made it: each process syncs what it finds when
    it starts, and what it did not find then when it first needs it.
    """

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root = root
        self._disk = disk
        disk.make_directory(root / "tmp")
        self._safe = {root / name for name in disk.names(root)}
        disk.sync_directory(root)
        disk.sync_directory(root.parent)

    def temporary(self, blob_id: str) -> Path:
        return self._root / "tmp" / blob_id

    def final(self, blob_id: str) -> Path:
        return self._root / blob_id[:2] / blob_id

    def secure(self, folder: Path) -> None:
        """Let a crash find the folder; to be called in a thread."""
        if folder not in self._safe:
            self._disk.make_directory(folder)
            self._disk.sync_directory(self._root)
            self._safe.add(folder)


class FileBlobs:
    """A `BlobStore` in a folder."""

    def __init__(self, folder: Path, disk: Disk, threads: int = 8) -> None:
        self._folder = folder
        self._disk = disk
        self._folders = _Folders(folder, disk)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="blobs")

    async def create(self, blob_id: str) -> FileWriter:
        writer = FileWriter(self._disk, self._threads, self._folders, blob_id)
        try:
            await writer.open()
        except BaseException:
            await asyncio.shield(writer.abort())
            raise
        return writer

    async def read(self, blob_id: str, offset: int, size_bytes: int) -> AsyncIterator[bytes]:
        """One piece is read ahead in a thread while the one before it is being sent."""
        end = offset + size_bytes
        handle = await self._open(blob_id)
        reading: Future[bytes] | None = None
        try:
            while offset < end:
                if reading is None:
                    reading = self._threads.submit(self._read, handle, offset, min(READ_BYTES, end - offset))
                data = await asyncio.wrap_future(reading)
                if len(data) != min(READ_BYTES, end - offset):
                    raise BlobMissing
                offset += len(data)
                if offset < end:
                    reading = self._threads.submit(self._read, handle, offset, min(READ_BYTES, end - offset))
                yield data
        finally:
            if reading is None:
                self._disk.close(handle)
            else:
                reading.add_done_callback(lambda _: self._disk.close(handle))

    async def delete(self, blob_ids: list[str]) -> None:
        # A blob whose writer died is still under its temporary name.
        folders = self._folders
        paths = [path for blob_id in blob_ids for path in (folders.final(blob_id), folders.temporary(blob_id))]
        await self._in_thread(self._remove_all, paths)

    async def ids(self) -> AsyncIterator[str]:
        # Only what is there is looked into: a network's file system would remember that a folder is not.
        for folder in sorted(_FIRST_BYTES.intersection(await self._in_thread(self._disk.names, self._folder))):
            for name in await self._in_thread(self._disk.names, self._folder / folder):
                yield name

    async def size(self, blob_id: str) -> int | None:
        return await self._in_thread(self._disk.size, self._folders.final(blob_id))

    def free_bytes(self) -> int | None:
        return self._disk.free_bytes(self._folder)

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    async def _open(self, blob_id: str) -> int:
        opening = self._threads.submit(self._open_file, blob_id)
        try:
            return await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_unused)
            raise

    def _close_unused(self, opened: Future[int]) -> None:
        if not opened.cancelled() and opened.exception() is None:
            self._disk.close(opened.result())

    def _open_file(self, blob_id: str) -> int:
        try:
            return self._disk.open(self._folders.final(blob_id))
        except FileNotFoundError:
            raise BlobMissing from None
        except OSError as fault:
            raise _translated(fault) from fault

    def _read(self, handle: int, offset: int, size_bytes: int) -> bytes:
        try:
            return self._disk.read(handle, offset, size_bytes)
        except OSError as fault:
            raise _translated(fault) from fault

    def _remove_all(self, paths: list[Path]) -> None:
        for path in paths:
            self._disk.remove(path)

    async def _in_thread(self, step: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, step, *arguments)
        except OSError as fault:
            raise _translated(fault) from fault


class FileWriter:
    """A `BlobWriter`: one file, whose steps run in order, whichever threads they get."""

    def __init__(self, disk: Disk, threads: ThreadPoolExecutor, folders: _Folders, blob_id: str) -> None:
        self._disk = disk
        self._strand = Strand(threads)
        self._folders = folders
        self._temporary = folders.temporary(blob_id)
        self._final = folders.final(blob_id)
        self._handle: int | None = None
        self._renamed = False
        self._aborted = False

    async def open(self) -> None:
        await self._in_thread(self._create)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        await self._in_thread(self._write, data)

    async def commit(self) -> None:
        await self._in_thread(self._make_durable)

    async def abort(self) -> None:
        await self._in_thread(self._discard)

    def _create(self) -> None:
        self._handle = self._disk.create(self._temporary)

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        assert self._handle is not None
        self._disk.write(self._handle, data)

    def _make_durable(self) -> None:
        assert self._handle is not None
        self._disk.sync(self._handle)
        self._close()
        self._folders.secure(self._final.parent)
        self._disk.rename(self._temporary, self._final)
        self._renamed = True
        self._disk.sync_directory(self._final.parent)

    def _discard(self) -> None:
        self._aborted = True
        self._close()
        self._disk.remove(self._final if self._renamed else self._temporary)

    def _close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._disk.close(handle)

    async def _in_thread(self, step: Callable[..., None], *arguments: Any) -> None:
        await self._strand.submit(partial(self._take_turn, step, *arguments))

    def _take_turn(self, step: Callable[..., None], *arguments: Any) -> None:
        if self._aborted:
            # Its caller went away before this thread began.
            return
        try:
            step(*arguments)
        except OSError as fault:
            raise _translated(fault) from fault


def _translated(fault: OSError) -> Unavailable:
    """What a fault of the disk means to the caller: not now."""
    return InsufficientStorage() if fault.errno in _FULL else Unavailable()
