"""The few file operations that durability rests on, so that a simulation can own them.

A write is safe on disk after `sync`; a new name is safe after `sync_directory` of its folder; nothing else is promised.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """A file system. Handles are opaque numbers."""

    def make_directory(self, path: Path) -> None: ...
    def create(self, path: Path) -> int: ...
    def write(self, handle: int, data: bytes | bytearray | memoryview) -> None: ...
    def sync(self, handle: int) -> None: ...
    def close(self, handle: int) -> None: ...
    def rename(self, source: Path, target: Path) -> None: ...
    def sync_directory(self, path: Path) -> None: ...
    def remove(self, path: Path) -> bool: ...
    def names(self, path: Path) -> list[str]: ...
    def size(self, path: Path) -> int | None: ...
    def open(self, path: Path) -> int: ...
    def read(self, handle: int, offset: int, size_bytes: int) -> bytes: ...
    def free_bytes(self, path: Path) -> int: ...


# Linux's sync_file_range(2), which Python does not offer: begin to write a range back, and do not wait.
_LIBC = ctypes.CDLL(None, use_errno=True)
_SYNC_FILE_RANGE_WRITE = 2
WRITE_BACK_BYTES = 8 * 1024 * 1024


class LocalDisk:
    """The operating system's file system."""

    def __init__(self) -> None:
        self._written: dict[int, int] = {}

    def make_directory(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path) -> int:
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)

    def write(self, handle: int, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        self._begin_write_back(handle, len(data))

    def _begin_write_back(self, handle: int, size_bytes: int) -> None:
        """Let the disk work while more is being received, so that `sync` waits for the last megabytes alone. A hint."""
        before = self._written.get(handle, 0)
        after = self._written[handle] = before + size_bytes
        if after // WRITE_BACK_BYTES > before // WRITE_BACK_BYTES and hasattr(_LIBC, "sync_file_range"):
            start = before // WRITE_BACK_BYTES * WRITE_BACK_BYTES
            length = ctypes.c_int64(after - start)
            _LIBC.sync_file_range(handle, ctypes.c_int64(start), length, _SYNC_FILE_RANGE_WRITE)

    def sync(self, handle: int) -> None:
        os.fdatasync(handle)

    def close(self, handle: int) -> None:
        self._written.pop(handle, None)
        os.close(handle)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def sync_directory(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, path: Path) -> bool:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        return True

    def names(self, path: Path) -> list[str]:
        try:
            return os.listdir(path)
        except FileNotFoundError:
            return []

    def size(self, path: Path) -> int | None:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return None

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, handle: int, offset: int, size_bytes: int) -> bytes:
        return os.pread(handle, size_bytes, offset)

    def free_bytes(self, path: Path) -> int:
        return shutil.disk_usage(path).free
