"""History: every attempt, as information. A file a day, so that yesterday's is dropped by deleting a file.

Nothing depends on it: losing it loses no delivery. So it is written without waiting for the disk, in batches, and apart
from the objects and the positions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import apsw

from elasticlake.metadata import attempt_statistics
from elasticlake.metadata.attempt_search import Found, Place, Wanted, search
from elasticlake.metadata.attempt_statistics import SLOTS_A_DAY, Step, tally, upsert
from elasticlake.metadata.database import Row, Value
from elasticlake.metadata.history_day import DAY_MS, day_name, day_number, open_day
from elasticlake.metadata.sqlite import SqliteReader
from elasticlake.model.timings import Timings
from elasticlake.processor import give_way
from elasticlake.record import record

COLUMNS = """
webhook_id, bucket_id, sequence, generation, attempt, event_id, event, key, started_at_ms, duration_ms, status_code,
error_class, error, request_headers, request_body, response_headers, response_body, status, next_attempt_at_ms,
address, dns_ms, connect_ms, tls_ms, first_byte_ms
"""
_ROW = f"({', '.join('?' * (COLUMNS.count(',') + 1))})"
_INSERT = f"INSERT INTO attempts ({COLUMNS}) VALUES {_ROW}"
# A statement lets go of the interpreter and waits to have it back: beside a busy event loop longer than a row takes.
_ROWS_AT_ONCE = 20
_INSERT_MANY = f"INSERT INTO attempts ({COLUMNS}) VALUES {', '.join([_ROW] * _ROWS_AT_ONCE)}"
_COUNT = upsert()
_HEADER_COLUMNS = (13, 15)
_FIRST_TIMING = 20
_NO_TIMINGS = (None, None, None, None)
# There is a connection for each kept day.
_READ_CACHE_BYTES = 512 << 10


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
    address: str | None = None
    """The one that was dialled; None where none was, or an older version made the attempt."""
    timings: Timings | None = None
    """None where nothing is known of them."""


class HistoryLog(Protocol):
    """Where attempts are appended. Synchronous: it is used in a thread of its own."""

    def append(self, attempts: Iterable[Attempt]) -> None:
        """Keep them, and count them in the statistics."""
        ...

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

    def statistics(self, webhook_ids: Sequence[str], since_slot: int, until_slot: int, step: int) -> list[Step]:
        """What was attempted for these webhooks from one slot to before another, in steps of `step` slots; steps
        without an attempt are left out. A step is a part of a UTC day, or all of it."""
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
            try:
                connection.execute("BEGIN IMMEDIATE")
                _insert(connection, members)
                connection.executemany(_COUNT, tally(members))
                connection.execute("COMMIT")
            except BaseException:
                # That undoes it, whatever state it is in: a transaction left open would refuse all that follow.
                self.close()
                raise

    def drop_before(self, time_ms: int) -> None:
        """Delete the files of days that ended before that time."""
        if self._day < time_ms // DAY_MS:
            self.close()
        for path in self._folder.glob("*.db"):
            if path.stem < day_name(time_ms // DAY_MS):
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
            self._connection = open_day(self._folder / f"{day_name(day)}.db")
            self._connection.execute("PRAGMA synchronous=OFF")
            self._day = day
        return self._connection


def _insert(connection: apsw.Connection, attempts: list[Attempt]) -> None:
    whole = len(attempts) - len(attempts) % _ROWS_AT_ONCE
    for start in range(0, whole, _ROWS_AT_ONCE):
        values = tuple(chain.from_iterable(map(to_row, attempts[start : start + _ROWS_AT_ONCE])))
        give_way()
        connection.execute(_INSERT_MANY, values, can_cache=False)  # the cache would keep the bodies
        give_way()
    connection.executemany(_INSERT, map(to_row, attempts[whole:]))
    give_way()


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
        days = (_Day(day_number(name), connection) for name, connection in self._named_days())
        return search(days, webhook_id, wanted, before, limit)

    def statistics(self, webhook_ids: Sequence[str], since_slot: int, until_slot: int, step: int) -> list[Step]:
        """As `History.statistics`: one query for each day."""
        if not webhook_ids:
            return []
        sql = attempt_statistics.selection(len(webhook_ids))
        parameters = attempt_statistics.parameters(webhook_ids, since_slot, until_slot, step)
        days = range(since_slot // SLOTS_A_DAY, -(-until_slot // SLOTS_A_DAY))
        return [
            attempt_statistics.from_row(row)
            for name, connection in reversed(self._named_days())
            if day_number(name) in days
            for row in SqliteReader(connection).rows(sql, parameters)
        ]

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
                self._connections[name] = open_day(self._folder / f"{name}.db", _READ_CACHE_BYTES)
        return [(name, self._connections[name]) for name in names]


def by_day(attempts: Iterable[Attempt]) -> dict[int, list[Attempt]]:
    days: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        days.setdefault(attempt.started_at_ms // DAY_MS, []).append(attempt)
    return days


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
        attempt.address,
        *_timing_values(attempt.timings),
    )


def from_row(row: tuple[Any, ...]) -> Attempt:
    """The attempt that a row of `COLUMNS` is."""
    values = list(row[:_FIRST_TIMING])
    for index in _HEADER_COLUMNS:
        values[index] = _pairs(values[index])
    timings = tuple(row[_FIRST_TIMING:])
    values.append(None if timings == _NO_TIMINGS else Timings(*timings))
    return Attempt(*values)


def _timing_values(timings: Timings | None) -> tuple[float | None, ...]:
    if timings is None:
        return _NO_TIMINGS
    return timings.dns_ms, timings.connect_ms, timings.tls_ms, timings.first_byte_ms


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))
