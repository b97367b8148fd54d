"""An online backup of the embedded default: a second data folder, made beside a running server.

Positions are copied before the log: a log that is newer than its positions sends some events again, the other way
round would pass over some. Blobs come after the rows that name them, and stay for their grace period if those rows go
meanwhile. History is information, and comes last.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from elasticlake.blobs.replica import BlobReplica
from elasticlake.config.credentials import FILE_NAME
from elasticlake.config.master_key import MasterKey, write_private
from elasticlake.errors import ElasticLakeError
from elasticlake.metadata import blob_records, facts
from elasticlake.metadata.database import Reader
from elasticlake.metadata.sqlite import SqliteReader
from elasticlake.metadata.sqlite_copy import CopyFailed, copy_database, open_copy
from elasticlake.server.folder import DataFolder

THREADS = 8

Progress = Callable[[str, int, int], None]
"""Told what is being copied, how much of it is done, and how much there is."""


class BackupFailed(ElasticLakeError):
    """There is no backup; the message says why."""


class BlobsGone(BackupFailed):
    """The backup lacks blobs: it stays under the name of an unfinished one."""

    def __init__(self, gone: int, partial: Path) -> None:
        blobs = "1 blob that its metadata names is" if gone == 1 else f"{gone} blobs that its metadata names are"
        super().__init__(
            f"the backup is incomplete, and stays in {partial}: {blobs} not in the data folder. If it ran for longer "
            "than the server's --blob-grace-seconds while objects were deleted, raise that and back up again; if not, "
            "`elasticlake check` names what is missing"
        )


@dataclass(slots=True)
class Summary:
    """What a backup holds."""

    databases: list[str] = field(default_factory=list)
    blobs: int = 0
    size_bytes: int = 0
    master_key: bool = False
    credentials: bool = False
    seconds: float = 0.0


def back_up(folder: DataFolder, destination: Path, progress: Progress, *, with_master_key: bool = False) -> Summary:
    """Copy the data folder, as it is now, to `destination`, which appears when it is whole; raises `ElasticLakeError`.

    The server may run meanwhile. With the master key go the generated root credentials.
    """
    destination = destination.resolve()
    _require_data(folder, with_master_key)
    partial = _begin(folder, destination)
    try:
        summary = _Backup(folder, DataFolder(partial), progress).run(with_master_key)
        os.rename(partial, destination)
        _sync_folder(destination.parent)
    except BlobsGone:
        raise
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise BackupFailed(f"the backup cannot be written: {error}") from error
        raise
    return summary


def _require_data(folder: DataFolder, with_master_key: bool) -> None:
    if not folder.metadata.exists():
        raise BackupFailed(f"there is no {folder.metadata.name} in {folder.path}: this backs up the embedded default")
    folder.require_not_moved()
    if with_master_key and not folder.master_key.exists():
        raise BackupFailed(f"there is no {folder.master_key}: the server's master key is kept elsewhere, copy it there")


def _begin(folder: DataFolder, destination: Path) -> Path:
    """The folder to write to until the backup is whole, new and empty."""
    partial = destination.with_name(f"{destination.name}.partial")
    if destination.is_mount():
        raise BackupFailed(f"{destination} is a mounted file system's root: name a folder in it")
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise BackupFailed(f"{destination} is there already, and not an empty folder")
    if destination.is_relative_to(folder.path.resolve()):
        raise BackupFailed(f"{destination} lies in the data folder itself")
    if partial.exists():
        raise BackupFailed(f"{partial} is there: a backup that still runs, or did not finish (then remove it)")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
    except OSError as error:
        raise BackupFailed(f"{partial} cannot be made: {error.strerror}") from None
    return partial


class _Backup:
    """One backup on its way from `source` to `target`."""

    def __init__(self, source: DataFolder, target: DataFolder, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._summary = Summary()

    def run(self, with_master_key: bool) -> Summary:
        started_at = time.monotonic()
        if self._source.delivery.exists():
            self._copy_database(self._source.delivery, self._target.delivery)
        self._copy_database(self._source.metadata, self._target.metadata)
        with closing(open_copy(self._target.metadata)) as connection:
            reader = SqliteReader(connection)
            if with_master_key:
                self._copy_secrets(reader)
            self._copy_blobs(reader)
        self._copy_history()
        for folder in (self._target.history, self._target.path):
            _sync_folder(folder)
        self._summary.seconds = time.monotonic() - started_at
        return self._summary

    def _copy_database(self, source: Path, target: Path) -> None:
        name = str(target.relative_to(self._target.path))
        self._summary.size_bytes += copy_database(source, target, lambda done, total: self._progress(name, done, total))
        self._summary.databases.append(name)

    def _copy_secrets(self, reader: Reader) -> None:
        """The master key that the copied secrets need, and the root credentials that were generated."""
        text = self._source.master_key.read_bytes()
        key_id, needed = MasterKey.load(self._source.master_key).id, facts.get(reader, facts.MASTER_KEY_ID)
        if needed not in (None, key_id):
            raise BackupFailed(
                f"{self._source.master_key} is key {key_id}, but the data was encrypted with {needed}: copy that one"
            )
        write_private(self._target.master_key, text)
        self._summary.master_key = True
        credentials = self._source.path / FILE_NAME
        if credentials.exists():
            write_private(self._target.path / FILE_NAME, credentials.read_bytes())
            self._summary.credentials = True

    def _copy_blobs(self, reader: Reader) -> None:
        replica = BlobReplica(self._source.blobs, self._target.blobs)
        total, gone = blob_records.count_named(reader), 0
        with ThreadPoolExecutor(THREADS, thread_name_prefix="backup") as threads:
            for blob_ids in blob_records.named(reader):
                sizes = [size for size in threads.map(replica.add, blob_ids) if size is not None]
                gone += len(blob_ids) - len(sizes)
                self._summary.blobs += len(sizes)
                self._summary.size_bytes += sum(sizes)
                self._progress("blobs", self._summary.blobs + gone, total)
        replica.seal()
        if gone:
            raise BlobsGone(gone, self._target.path)

    def _copy_history(self) -> None:
        self._target.history.mkdir(mode=0o700)
        for path in sorted(self._source.history.glob("*.db")):
            target = self._target.history / path.name
            try:
                self._copy_database(path, target)
            except CopyFailed:
                # Its day may have been dropped meanwhile; and no backup fails for want of information.
                target.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
