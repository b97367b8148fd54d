"""What is still to be done, on disk before the webhook is answered; so nothing depends on what a broker forgets."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

PATIENCE_SECONDS = 30.0
MAX_ATTEMPTS = 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    event TEXT NOT NULL,      -- the latest that told of the object
    queued_at REAL NOT NULL,  -- in seconds since 1970
    attempts INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (bucket, key)
)
"""


def add(bucket: str, key: str, event: str) -> None:
    """Take down that an event told of the object."""
    with _database() as database:
        database.execute(
            "INSERT INTO inbox (bucket, key, event, queued_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET event = excluded.event, queued_at = excluded.queued_at, attempts = 1",
            (bucket, key, event, time.time()),
        )


def waiting(bucket: str, key: str) -> str | None:
    """The event that is still to be seen to, if there is one."""
    with _database() as database:
        found = database.execute("SELECT event FROM inbox WHERE bucket = ? AND key = ?", (bucket, key)).fetchone()
    return None if found is None else str(found[0])


def done(bucket: str, key: str, event: str) -> None:
    """It is seen to, unless another event has come meanwhile."""
    with _database() as database:
        database.execute("DELETE FROM inbox WHERE bucket = ? AND key = ? AND event = ?", (bucket, key, event))


def overdue(seconds: float = PATIENCE_SECONDS) -> list[tuple[str, str]]:
    """The objects queued so long ago that their tasks must be lost or have failed; they count as queued anew."""
    now = time.time()
    with _database() as database:
        return database.execute(
            "UPDATE inbox SET queued_at = ?, attempts = attempts + 1 WHERE queued_at <= ? AND attempts < ?"
            " RETURNING bucket, key",
            (now, now - seconds, MAX_ATTEMPTS),
        ).fetchall()


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """One transaction."""
    with closing(sqlite3.connect(os.environ.get("INBOX", "data/inbox.db"), timeout=10)) as database, database:
        database.execute(_SCHEMA)
        yield database
