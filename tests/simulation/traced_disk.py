"""A `Disk` that does what the operating system's does, and records it."""

from __future__ import annotations

from pathlib import Path

from tests.simulation.trace import Trace

from elasticlake.blobs.disk import LocalDisk


class TracedDisk(LocalDisk):
    """Files in the trace's folder. Nothing is synced for real: whether it would be there is the trace's to say."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace
        self._open: dict[int, tuple[int, int]] = {}

    def make_directory(self, path: Path) -> None:
        with self._trace.lock:
            missing = [folder for folder in (path, *path.parents) if not folder.exists()]
            super().make_directory(path)
            for folder in reversed(missing):
                self._trace.add("make_directory", path=self._trace.name(folder))

    def create(self, path: Path) -> int:
        with self._trace.lock:
            handle = super().create(path)
            self._open[handle] = (self._trace.inode(self._trace.name(path)), 0)
            return handle

    def write(self, handle: int, data: bytes | bytearray | memoryview) -> None:
        with self._trace.lock:
            super().write(handle, data)
            inode, offset = self._open[handle]
            self._trace.add("write", inode=inode, offset=offset, data=bytes(data))
            self._open[handle] = (inode, offset + len(data))

    def sync(self, handle: int) -> None:
        with self._trace.lock:
            self._trace.add("sync", inode=self._open[handle][0])

    def close(self, handle: int) -> None:
        with self._trace.lock:
            super().close(handle)
            self._open.pop(handle, None)

    def rename(self, source: Path, target: Path) -> None:
        with self._trace.lock:
            super().rename(source, target)
            names = self._trace.name(source), self._trace.name(target)
            inode = self._trace.inodes.pop(names[0])
            self._trace.inodes[names[1]] = inode
            self._trace.add("rename", path=names[0], target=names[1], inode=inode)

    def sync_directory(self, path: Path) -> None:
        with self._trace.lock:
            self._trace.add("sync_directory", path=self._trace.name(path))

    def remove(self, path: Path) -> bool:
        with self._trace.lock:
            if not super().remove(path):
                return False
            name = self._trace.name(path)
            self._trace.add("remove", path=name, inode=self._trace.inodes.pop(name))
            return True


class ForgetsToSync(TracedDisk):
    """A disk whose `sync` does nothing: the simulation has to notice."""

    def sync(self, handle: int) -> None:
        return


class ForgetsNames(TracedDisk):
    """A disk whose `sync_directory` does nothing: the simulation has to notice."""

    def sync_directory(self, path: Path) -> None:
        return
