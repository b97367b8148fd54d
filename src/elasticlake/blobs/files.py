"""Blobs as local files: `blobs/ab/abcdef…`, one folder for each first byte of the id.

A write is durable by these steps and no fewer: temporary file → fdatasync → rename → fsync of the folder. Disk work
runs in threads, so that a slow disk never stops the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from elasticlake.blobs.disk import Disk
from elasticlake.blobs.store import BlobMissing

T = TypeVar("T")

READ_BYTES = 512 * 1024


class FileBlobs:
    """A `BlobStore` in a folder."""

    def __init__(self, folder: Path, disk: Disk, threads: int = 8) -> None:
        self._folder = folder
        self._temporary = folder / "tmp"
        self._disk = disk
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="blobs")
        self._make_folders()

    def _make_folders(self) -> None:
        if self._disk.size(self._temporary) is not None:
            return
        for number in range(256):
            self._disk.make_directory(self._folder / f"{number:02x}")
        self._disk.make_directory(self._temporary)
        self._disk.sync_directory(self._folder)
        self._disk.sync_directory(self._folder.parent)

    def remove_leftovers(self) -> int:
        """Delete temporary files of an earlier process; returns how many. Only while no other process writes."""
        return sum(self._disk.remove(self._temporary / name) for name in self._disk.names(self._temporary))

    async def create(self, blob_id: str) -> FileWriter:
        writer = FileWriter(self._disk, self._threads, self._temporary / blob_id, self._path(blob_id))
        await writer.open()
        return writer

    async def read(self, blob_id: str, offset: int, size_bytes: int) -> AsyncIterator[bytes]:
        """One piece is read ahead in a thread while the one before it is being sent."""
        loop = asyncio.get_running_loop()
        end = offset + size_bytes
        handle = await loop.run_in_executor(self._threads, self._open, blob_id)
        ahead: asyncio.Future[bytes] | None = None
        try:
            while offset < end:
                wanted = min(READ_BYTES, end - offset)
                if ahead is None:
                    ahead = loop.run_in_executor(self._threads, self._disk.read, handle, offset, wanted)
                data = await ahead
                ahead = None
                if len(data) != wanted:
                    raise BlobMissing
                offset += wanted
                if offset < end:
                    wanted = min(READ_BYTES, end - offset)
                    ahead = loop.run_in_executor(self._threads, self._disk.read, handle, offset, wanted)
                yield data
        finally:
            if ahead is not None:
                # The thread still uses the handle: closing it now could hand its number to another file.
                await asyncio.wait([ahead])
            self._disk.close(handle)

    async def delete(self, blob_ids: list[str]) -> None:
        paths = [self._path(blob_id) for blob_id in blob_ids]
        await asyncio.get_running_loop().run_in_executor(self._threads, self._remove, paths)

    def ids(self) -> Iterator[str]:
        for number in range(256):
            yield from self._disk.names(self._folder / f"{number:02x}")

    def size(self, blob_id: str) -> int | None:
        return self._disk.size(self._path(blob_id))

    def free_bytes(self) -> int | None:
        return self._disk.free_bytes(self._folder)

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    def _path(self, blob_id: str) -> Path:
        return self._folder / blob_id[:2] / blob_id

    def _open(self, blob_id: str) -> int:
        try:
            return self._disk.open(self._path(blob_id))
        except FileNotFoundError:
            raise BlobMissing from None

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            self._disk.remove(path)


class FileWriter:
    """A `BlobWriter`: one file, written by one thread at a time."""

    def __init__(self, disk: Disk, threads: ThreadPoolExecutor, temporary: Path, final: Path) -> None:
        self._disk = disk
        self._threads = threads
        self._temporary = temporary
        self._final = final
        self._handle: int | None = None

    async def open(self) -> None:
        self._handle = await self._in_thread(self._disk.create, self._temporary)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        await self._in_thread(self._disk.write, self._handle, data)

    async def commit(self) -> None:
        await self._in_thread(self._make_durable)

    async def abort(self) -> None:
        await self._in_thread(self._discard)

    def _make_durable(self) -> None:
        assert self._handle is not None
        self._disk.sync(self._handle)
        self._disk.close(self._handle)
        self._handle = None
        self._disk.rename(self._temporary, self._final)
        self._disk.sync_directory(self._final.parent)

    def _discard(self) -> None:
        if self._handle is not None:
            self._disk.close(self._handle)
            self._handle = None
        self._disk.remove(self._temporary)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
