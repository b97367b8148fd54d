"""A day's file of history: its name, its tables, and how a file that an older version made is given what it lacks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import apsw

from elasticlake.metadata.attempt_statistics import COUNTS
from elasticlake.metadata.sqlite import SMALL_CACHE_BYTES, SqliteReader, connect

DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS attempts (
    id               INTEGER PRIMARY KEY,
    webhook_id       TEXT NOT NULL,
    bucket_id        INTEGER NOT NULL,
    sequence         INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    event_id         TEXT NOT NULL,
    event            TEXT NOT NULL,
    key              BLOB NOT NULL,
    started_at_ms    INTEGER NOT NULL,
    duration_ms      REAL NOT NULL,
    status_code      INTEGER,
    error_class      TEXT,
    error            TEXT,
    request_headers  TEXT NOT NULL,
    request_body     BLOB NOT NULL,
    response_headers TEXT NOT NULL,
    response_body    BLOB NOT NULL,
    status           TEXT NOT NULL,
    next_attempt_at_ms INTEGER
);
CREATE INDEX IF NOT EXISTS attempts_by_time ON attempts (webhook_id, status, started_at_ms);
CREATE INDEX IF NOT EXISTS attempts_by_key ON attempts (webhook_id, key, started_at_ms);
CREATE INDEX IF NOT EXISTS attempts_by_delivery ON attempts (webhook_id, bucket_id, sequence, generation, attempt);
CREATE TABLE IF NOT EXISTS attempt_statistics (
    webhook_id TEXT NOT NULL,
    slot       INTEGER NOT NULL,
    {", ".join(f"{name} INTEGER NOT NULL" for name in COUNTS)},
    PRIMARY KEY (webhook_id, slot)
) WITHOUT ROWID;
"""
_LATER_COLUMNS = {
    "address": "TEXT", "dns_ms": "REAL", "connect_ms": "REAL", "tls_ms": "REAL", "first_byte_ms": "REAL",
}  # fmt: skip
_VERSION = 1
"""Of a file that has all of this; those made before had none."""


def open_day(path: Path, cache_bytes: int = SMALL_CACHE_BYTES) -> apsw.Connection:
    """A connection to the file, which is made, or given what it lacks, where that is due."""
    connection = connect(path, durable=False, cache_bytes=cache_bytes)
    if _version(connection) < _VERSION:
        _complete(connection)
    return connection


def day_name(day: int) -> str:
    """The name of that day's file, without its suffix; days are counted since the Unix epoch, UTC."""
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y-%m-%d")


def day_number(name: str) -> int:
    return (date.fromisoformat(name) - _EPOCH).days


def _complete(connection: apsw.Connection) -> None:
    """Several processes may find the file so at once: whoever has the lock first does it, the others see that it is
    done."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) < _VERSION:
            connection.execute(_SCHEMA)
            for name, kind in _LATER_COLUMNS.items():
                connection.execute(f"ALTER TABLE attempts ADD COLUMN {name} {kind}")
            connection.execute(f"PRAGMA user_version={_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: apsw.Connection) -> int:
    return int(SqliteReader(connection).rows("PRAGMA user_version")[0][0])
