"""SQLite's files under the same trace: a VFS over the operating system's that records what reaches the disk."""

from __future__ import annotations

import apsw
from tests.simulation.trace import Trace


class TracedVfs(apsw.VFS):
    """Databases opened with `vfs=name` write through this one."""

    def __init__(self, name: str, trace: Trace) -> None:
        self.trace = trace
        super().__init__(name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        with self.trace.lock:
            path = name.filename() if isinstance(name, apsw.URIFilename) else name
            if path is None:
                # A temporary file of SQLite's own, which no crash leaves.
                return apsw.VFSFile("unix", name, flags)
            return TracedFile(self.trace, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        with self.trace.lock:
            super().xDelete(filename, syncdir)
            name = self.trace.name(filename)
            self.trace.add("remove", path=name, inode=self.trace.inodes.pop(name))
            if syncdir:
                self.trace.add("sync_name", path=name)


class TracedFile(apsw.VFSFile):
    """One open file; the database and its write-ahead log are opened once by each connection."""

    def __init__(self, trace: Trace, path: str, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._trace = trace
        super().__init__("unix", name, flags)
        self._name = trace.name(path)
        self._inode = trace.inode(self._name)

    def xWrite(self, data: bytes, offset: int) -> None:
        with self._trace.lock:
            super().xWrite(data, offset)
            self._trace.add("write", inode=self._inode, offset=offset, data=bytes(data))

    def xTruncate(self, newsize: int) -> None:
        with self._trace.lock:
            super().xTruncate(newsize)
            self._trace.add("truncate", inode=self._inode, offset=newsize)

    def xSync(self, flags: int) -> None:
        """SQLite's own syncs the folder with a log's first; an fsync of a file just made keeps its name on Linux."""
        with self._trace.lock:
            self._trace.add("sync", inode=self._inode)
            self._trace.add("sync_name", path=self._name)
