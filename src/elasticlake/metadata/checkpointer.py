"""Checkpoints of a SQLite database beside its commits, not within them.

A checkpoint copies the log's pages into the database and fsyncs that: ten milliseconds in which every commit waits, as
SQLite does it at the end of one. Here a thread with a connection of its own copies the log while commits go on, and
the next commit only what came meanwhile. Whoever writes then begins the log anew, unless somebody reads from it at that
moment: in that case it is asked for again.
"""

from __future__ import annotations

import queue
import threading
import time
from pathlib import Path

import apsw
import structlog

from elasticlake.metadata import sqlite

PAUSE_SECONDS = 0.1
"""How long after a checkpoint that did not let the log begin anew the next one is made."""

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
        if pages < sqlite.CHECKPOINT_PAGES:
            self._is_copied = False
        elif self._is_copied:
            self._is_copied = False
            self._copy(writer)
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
            (connection or self._own_connection()).wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
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
