"""A disk that is full from some write on, for blobs and for SQLite alike, until somebody frees space."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import apsw

from elasticlake.blobs.disk import LocalDisk


class Space:
    """How many writes still fit."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.refused = 0
        self.written = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more write fits."""
        with self._lock:
            if self.left == 0:
                self.refused += 1
                return False
            if self.left is not None:
                self.left -= 1
            self.written += 1
            return True


class FullDisk(LocalDisk):
    """Files and their names take space; reading, renaming and removing take none."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self._space = space

    def make_directory(self, path: Path) -> None:
        if not path.exists():
            self._take()
        super().make_directory(path)

    def create(self, path: Path) -> int:
        self._take()
        return super().create(path)

    def write(self, handle: int, data: bytes | bytearray | memoryview) -> None:
        # What fits is written before the rest is refused, as an operating system does it.
        super().write(handle, data[: len(data) // 2])
        self._take()
        super().write(handle, data[len(data) // 2 :])

    def _take(self) -> None:
        if not self._space.take():
            raise OSError(errno.ENOSPC, "No space left on device")


class FullVfs(apsw.VFS):
    """SQLite's files on the same disk."""

    def __init__(self, name: str, space: Space) -> None:
        self.space = space
        super().__init__(name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return FullFile(self.space, name, flags)


class FullFile(apsw.VFSFile):
    """One open file.

    The database itself always fits: it grows in checkpoints alone, after a commit, and SQLite takes a failing one for
    no failure of that commit. apsw would raise what a VFS in Python raised all the same.
    """

    def __init__(self, space: Space, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._space = space
        self._always_fits = isinstance(name, apsw.URIFilename)
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if not self._always_fits and not self._space.take():
            raise apsw.FullError("database or disk is full")
        super().xWrite(data, offset)
