"""History: every attempt, as information. A file a day, so that yesterday's is dropped by deleting a file.

Nothing depends on it: losing it loses no delivery. So it is written without waiting for the disk, in batches, and apart
from the objects and the positions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import apsw

from elasticlake.metadata.attempt_search import Found, Place, Wanted, search
from elasticlake.metadata.database import Row, Value
from elasticlake.metadata.sqlite import SqliteReader, connect
from elasticlake.record import record

_SCHEMA = """
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
"""
COLUMNS = """
webhook_id, bucket_id, sequence, generation, attempt, event_id, event, key, started_at_ms, duration_ms, status_code,
error_class, error, request_headers, request_body, response_headers, response_body, status, next_attempt_at_ms
"""
_INSERT = f"INSERT INTO attempts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_HEADER_COLUMNS = (13, 15)
# There is a connection for each kept day.
_READ_CACHE_BYTES = 512 << 10
_DAY_MS = 86_400_000


@record
class Attempt:
    """One HTTP request of a delivery. `status` is the delivery's after it."""

    webhook_id: str
    bucket_id: int
    sequence: int
    generation: int
    attempt: int
    event_id: str
    event: str
    key: bytes
    started_at_ms: int
    duration_ms: float
    status_code: int | None
    error_class: str | None
    error: str | None
    request_headers: tuple[tuple[str, str], ...]
    request_body: bytes
    response_headers: tuple[tuple[str, str], ...]
    response_body: bytes
    status: str
    next_attempt_at_ms: int | None


class HistoryLog(Protocol):
    """Where attempts are appended. Synchronous: it is used in a thread of its own."""

    def append(self, attempts: Iterable[Attempt]) -> None: ...
    def drop_before(self, time_ms: int) -> None:
        """Forget the days that ended before that time."""
        ...

    def close(self) -> None: ...


class History(Protocol):
    """Where attempts are found, the newest first. Synchronous, for one thread at a time."""

    def of_delivery(self, webhook_id: str, bucket_id: int, sequence: int, generation: int) -> list[Attempt]:
        """Every kept attempt of one delivery, in order."""
        ...

    def last_attempt(
        self, webhook_id: str, bucket_id: int, sequence: int, generation: int
    ) -> tuple[Place, Attempt] | None:
        """The delivery's newest kept attempt, with its place as `search` gives it."""
        ...

    def search(self, webhook_id: str, wanted: Wanted, before: Place | None, limit: int) -> Found:
        """At most `limit` of the webhook's attempts before that place, the newest first.

        It may find fewer, or none, and still have a place to go on from.
        """
        ...

    def close(self) -> None: ...


class HistoryWriter:
    """Appends attempts to the file of their day. Synchronous: run it in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._day = -1
        self._connection: apsw.Connection | None = None

    def append(self, attempts: Iterable[Attempt]) -> None:
        for day, members in by_day(attempts).items():
            connection = self._open(day)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, (to_row(attempt) for attempt in members))
            connection.execute("COMMIT")

    def drop_before(self, time_ms: int) -> None:
        """Delete the files of days that ended before that time."""
        if self._day < time_ms // _DAY_MS:
            self.close()
        for path in self._folder.glob("*.db"):
            if path.stem < _name(time_ms // _DAY_MS):
                for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                    leftover.unlink(missing_ok=True)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, day: int) -> apsw.Connection:
        if self._connection is None or day != self._day:
            self.close()
            self._folder.mkdir(exist_ok=True)
            self._connection = connect(self._folder / f"{_name(day)}.db", durable=False)
            self._connection.execute("PRAGMA synchronous=OFF")
            self._connection.execute(_SCHEMA)
            self._day = day
        return self._connection


class _Day:
    """A day's file."""

    attempts = "attempts"

    def __init__(self, number: int, connection: apsw.Connection) -> None:
        self.number = number
        self._reader = SqliteReader(connection)

    def rows(self, sql: str, parameters: tuple[Value, ...]) -> list[Row]:
        return self._reader.rows(sql, parameters)


class HistoryReader:
    """Finds attempts, the newest day first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connections: dict[str, apsw.Connection] = {}

    def of_delivery(self, webhook_id: str, bucket_id: int, sequence: int, generation: int) -> list[Attempt]:
        """Every kept attempt of one delivery, in order."""
        sql = (
            f"SELECT {COLUMNS} FROM attempts"
            " WHERE webhook_id = ? AND bucket_id = ? AND sequence = ? AND generation = ? ORDER BY attempt"
        )
        found: list[Attempt] = []
        for connection in self._days():
            rows = SqliteReader(connection).rows(sql, (webhook_id, bucket_id, sequence, generation))
            found = [from_row(row) for row in rows] + found
        return found

    def last_attempt(
        self, webhook_id: str, bucket_id: int, sequence: int, generation: int
    ) -> tuple[Place, Attempt] | None:
        """The delivery's newest kept attempt, with its place as `search` gives it."""
        sql = (
            f"SELECT id, {COLUMNS} FROM attempts WHERE webhook_id = ? AND bucket_id = ? AND sequence = ?"
            " AND generation = ? ORDER BY attempt DESC, id DESC LIMIT 1"
        )
        for connection in self._days():
            row = SqliteReader(connection).row(sql, (webhook_id, bucket_id, sequence, generation))
            if row is not None:
                last = from_row(row[1:])
                return Place(last.started_at_ms, row[0]), last
        return None

    def search(self, webhook_id: str, wanted: Wanted, before: Place | None, limit: int) -> Found:
        """As `History.search`."""
        days = (_Day(_number(name), connection) for name, connection in self._named_days())
        return search(days, webhook_id, wanted, before, limit)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _days(self) -> list[apsw.Connection]:
        return [connection for _, connection in self._named_days()]

    def _named_days(self) -> list[tuple[str, apsw.Connection]]:
        names = sorted((path.stem for path in self._folder.glob("*.db")), reverse=True)
        for gone in set(self._connections) - set(names):
            self._connections.pop(gone).close()
        for name in names:
            if name not in self._connections:
                connection = connect(self._folder / f"{name}.db", durable=False, cache_bytes=_READ_CACHE_BYTES)
                connection.execute(_SCHEMA)
                self._connections[name] = connection
        return [(name, self._connections[name]) for name in names]


def by_day(attempts: Iterable[Attempt]) -> dict[int, list[Attempt]]:
    days: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        days.setdefault(attempt.started_at_ms // _DAY_MS, []).append(attempt)
    return days


def _name(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_MS // 1000, UTC).strftime("%Y-%m-%d")


def _number(name: str) -> int:
    return (date.fromisoformat(name) - date(1970, 1, 1)).days


def to_row(attempt: Attempt) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    return (
        attempt.webhook_id,
        attempt.bucket_id,
        attempt.sequence,
        attempt.generation,
        attempt.attempt,
        attempt.event_id,
        attempt.event,
        attempt.key,
        attempt.started_at_ms,
        attempt.duration_ms,
        attempt.status_code,
        attempt.error_class,
        attempt.error,
        json.dumps(attempt.request_headers),
        attempt.request_body,
        json.dumps(attempt.response_headers),
        attempt.response_body,
        attempt.status,
        attempt.next_attempt_at_ms,
    )


def from_row(row: tuple[Any, ...]) -> Attempt:
    """The attempt that a row of `COLUMNS` is."""
    values = list(row)
    for index in _HEADER_COLUMNS:
        values[index] = _pairs(values[index])
    return Attempt(*values)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))
