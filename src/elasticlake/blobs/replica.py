"""A second folder of blobs, laid out as `FileBlobs` does, that shares its files with the first where it can.

A blob never changes, so a hard link is as good as a copy and costs nothing; another file system gets a copy.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

_NOT_LINKABLE = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP)
_COPY_BYTES = 1024 * 1024


class BlobReplica:
    """Takes blobs out of the folder `source` into the new folder `target`; raises `OSError` as the disk does."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target
        self._folders: set[Path] = set()
        for folder in (target, target / "tmp"):
            folder.mkdir(mode=0o700)

    def add(self, blob_id: str) -> int | None:
        """Take the blob; returns its size in bytes, None if the source does not have it. Safe after `seal`."""
        source, target = (folder / blob_id[:2] / blob_id for folder in (self._source, self._target))
        if target.parent not in self._folders:
            # Several threads may come to it at once.
            target.parent.mkdir(mode=0o700, exist_ok=True)
            self._folders.add(target.parent)
        try:
            os.link(source, target)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _NOT_LINKABLE:
                raise
            return _copy(source, target)
        return target.stat().st_size

    def seal(self) -> None:
        """Make the names durable; the bytes are already."""
        for folder in (*self._folders, self._target):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _copy(source: Path, target: Path) -> int | None:
    try:
        reading = source.open("rb")
    except FileNotFoundError:
        return None
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with reading, os.fdopen(handle, "wb") as writing:
        shutil.copyfileobj(reading, writing, _COPY_BYTES)
        writing.flush()
        os.fsync(writing.fileno())
        return writing.tell()
