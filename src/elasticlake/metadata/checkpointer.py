"""Checkpoints of a SQLite database beside its commits, not within them.

A checkpoint copies the log's pages into the database and fsyncs that: ten milliseconds in which every commit waits, as
SQLite does it at the end of one. Here a thread with a connection of its own copies the log while commits go on, a
little at a time: what is fsynced at once is what the commits beside it wait for. When the log is long, the next commit
copies what came meanwhile, and whoever writes then begins the log anew, unless somebody reads from it at that moment:
in that case it is tried again.
"""

from __future__ import annotations

import queue
import threading
import time
from pathlib import Path

import apsw
import structlog

from elasticlake.metadata import sqlite

STEPS = 32
"""In how many the log is copied until it begins anew. At 500 PUTs of 4 KiB a second one alone took 5.8 ms, and what
came meanwhile 3.3 ms, in which commits waited; one of 32 takes 1.1 ms."""
PAUSE_SECONDS = 0.1
"""How long after a step the next one is made, at the soonest."""

_log = structlog.get_logger("metadata")


class Checkpointer:
    """Checkpoints what `writer` commits into the file at `path`."""

    def __init__(self, path: Path, writer: apsw.Connection, *, durable: bool, vfs: str | None = None) -> None:
        self._path = path
        self._durable = durable
        self._vfs = vfs
        self._connection: apsw.Connection | None = None
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._is_working = False
        self._is_copied = False
        """Whether the log was copied but for what was committed since."""
        self._copied_pages = 0
        """How far the log was copied when that was last tried."""
        self._not_before = 0.0
        self._has_failed = False
        self._thread = threading.Thread(target=self._work, name=f"checkpoint {path.name}", daemon=True)
        self._thread.start()
        writer.wal_autocheckpoint(0)
        writer.set_wal_hook(self._committed)

    def close(self) -> None:
        """Wait for the checkpoint under way. The writer commits no more."""
        self._asked.put(False)
        self._thread.join()

    def _committed(self, writer: apsw.Connection, database: str, pages: int) -> int:
        """After each commit, in its thread, with the number of pages in the log. Whatever is raised here would make it
        look as if the commit had failed."""
        if pages < self._copied_pages:
            self._copied_pages = 0
        is_long, is_copied, self._is_copied = pages >= sqlite.CHECKPOINT_PAGES, self._is_copied, False
        if is_long and is_copied:
            self._copy(writer)
        elif pages - self._copied_pages < sqlite.CHECKPOINT_PAGES // STEPS:
            return apsw.SQLITE_OK
        elif not self._is_working and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + PAUSE_SECONDS
            self._is_working = True
            self._asked.put(True)
        return apsw.SQLITE_OK

    def _work(self) -> None:
        while self._asked.get():
            try:
                self._is_copied = self._copy(None)
            finally:
                self._is_working = False
        if self._connection is not None:
            self._connection.close()

    def _copy(self, connection: apsw.Connection | None) -> bool:
        """Copy as much as is safe, and hold up nobody; whether that went well."""
        try:
            copying = connection or self._own_connection()
            _, self._copied_pages = copying.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            # Another process is at it.
            return False
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                _log.error("checkpoint failed: the log grows until one succeeds", file=str(self._path), exc_info=error)
            return False
        self._has_failed = False
        return True

    def _own_connection(self) -> apsw.Connection:
        # To open one for each checkpoint takes longer than most of them.
        if self._connection is None:
            self._connection = sqlite.connect(self._path, durable=self._durable, vfs=self._vfs)
        return self._connection
