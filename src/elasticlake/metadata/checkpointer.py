"""Checkpoints of a SQLite database beside its commits, not within them.

A checkpoint copies the log's pages into the database and fsyncs that: ten milliseconds in which every commit would
wait, if SQLite did it by itself at the end of one. Here a thread with a connection of its own copies most of it while
commits go on, and holds them up only for the pages that came meanwhile. Whoever writes next begins the log anew, unless
somebody reads from it at that moment: then the next commit asks again.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import apsw

from elasticlake.metadata import sqlite

HOLD_UP_SECONDS = 0.005
"""How long a checkpoint waits for the commit under way; and how long all commits wait for whoever reads an older
state, before that is left in the log."""
PAUSE_SECONDS = 0.1
"""How long after one that left something there the next begins."""


class Checkpointer:
    """Checkpoints what `writer` commits into the file at `path`."""

    def __init__(self, path: Path, writer: apsw.Connection, *, durable: bool, vfs: str | None = None) -> None:
        self._path = path
        self._durable = durable
        self._vfs = vfs
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_working = False
        self._not_before = 0.0
        writer.wal_autocheckpoint(0)
        writer.set_wal_hook(self._committed)

    def close(self) -> None:
        """Wait for the checkpoint under way. The writer commits no more."""
        if self._thread is not None:
            self._asked.put(False)
            self._thread.join()

    def _committed(self, writer: apsw.Connection, database: str, pages: int) -> int:
        if pages < sqlite.CHECKPOINT_PAGES or self._is_working or time.monotonic() < self._not_before:
            return apsw.SQLITE_OK
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"checkpoint {self._path.name}", daemon=True)
            self._thread.start()
        self._is_working = True
        self._asked.put(True)
        return apsw.SQLITE_OK

    def _work(self) -> None:
        # To open a connection for each checkpoint takes longer than most of them.
        with ExitStack() as stack:
            connection: apsw.Connection | None = None
            while self._asked.get():
                self._not_before = time.monotonic() + PAUSE_SECONDS
                # Another process may be at it, and a fault of the disk is for the next commit to meet.
                with suppress(apsw.Error):
                    if connection is None:
                        connection = sqlite.connect(self._path, durable=self._durable, vfs=self._vfs)
                        stack.callback(connection.close)
                    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                    sqlite.wait_for_locks(connection, HOLD_UP_SECONDS)
                    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_FULL)
                    self._not_before = 0.0
                self._is_working = False
