"""A guard of all processes of one machine, which survives restarts."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING, Any

from elasticlake.webhooks.errors import BeingHandled
from elasticlake.webhooks.guards.guard import CLAIM_SECONDS, KEEP_SECONDS, Claim

if TYPE_CHECKING:
    import sqlite3

BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS elasticlake_events (
    id TEXT NOT NULL PRIMARY KEY,
    token TEXT,                     -- of the claim; NULL when the event is completed
    until REAL NOT NULL             -- when the claim ends or the event is forgotten, in seconds since 1970
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS elasticlake_events_until ON elasticlake_events (until);
"""
# One statement each, so that processes need no transactions between them.
_FORGET = "DELETE FROM elasticlake_events WHERE until <= ?"
_CLAIM = "INSERT INTO elasticlake_events (id, token, until) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"
_LOOK = "SELECT token FROM elasticlake_events WHERE id = ?"
_COMPLETE = (
    "INSERT INTO elasticlake_events (id, token, until) VALUES (?, NULL, ?)"
    " ON CONFLICT (id) DO UPDATE SET token = NULL, until = excluded.until"
)
_RELEASE = "DELETE FROM elasticlake_events WHERE id = ? AND token = ?"


class SqliteGuard:
    """Keeps events in the SQLite database at `path`, which may be one of yours, for `keep_seconds`.

    Its methods raise `sqlite3.Error` where the database fails; the event is then sent again.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        claim_seconds: float = CLAIM_SECONDS,
        keep_seconds: float = KEEP_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._claim_seconds = claim_seconds
        self._keep_seconds = keep_seconds
        self._now = now
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()

    def begin(self, event_id: str) -> Claim | None:
        now, claim = self._now(), Claim(event_id, secrets.token_hex(8))
        with self._lock:
            self._changed(_FORGET, now)
            if self._changed(_CLAIM, event_id, claim.token, now + self._claim_seconds):
                return claim
            found = self._opened().execute(_LOOK, (event_id,)).fetchone()
        # A claim that was released in between is as good as one that holds: the event comes again.
        if found is None or found[0] is not None:
            raise BeingHandled
        return None

    def complete(self, claim: Claim) -> None:
        with self._lock:
            self._changed(_COMPLETE, claim.id, self._now() + self._keep_seconds)

    def release(self, claim: Claim) -> None:
        with self._lock:
            self._changed(_RELEASE, claim.id, claim.token)

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _changed(self, statement: str, *parameters: Any) -> int:
        """How many rows the statement changed, committed."""
        with closing(self._opened().execute(statement, parameters)) as cursor:
            return cursor.rowcount

    def _opened(self) -> sqlite3.Connection:
        """The connection, made at the first use: one that was made before a fork must not be used after it."""
        if self._connection is None:
            import sqlite3

            opened = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            # A power cut may take the last moments; events of then are handled again, as after any crash.
            deadline = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    opened.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")
                    break
                except sqlite3.OperationalError:
                    # SQLite does not wait by itself where several processes turn a new file's log on.
                    if time.monotonic() > deadline:
                        opened.close()
                        raise
                    time.sleep(0.01)
            self._connection = opened
        return self._connection
