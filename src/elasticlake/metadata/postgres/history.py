"""History on PostgreSQL: every attempt, as information. A partition a day, so that a day is dropped whole.

Losing the last moments of it loses no delivery, so it is written without waiting for the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from elasticlake.metadata import attempt_statistics
from elasticlake.metadata.attempt_search import Found, Place, Wanted, search
from elasticlake.metadata.attempt_statistics import SLOTS_A_DAY, Step, tally, upsert
from elasticlake.metadata.database import Row, Value
from elasticlake.metadata.history import COLUMNS, Attempt, by_day, from_row, to_row
from elasticlake.metadata.postgres.blocking import Reconnecting, marked

_COUNT = marked(upsert("day"))
_COPY = f"COPY attempts (day, id, {COLUMNS}) FROM STDIN"
_IDS = "SELECT nextval('attempt_ids') FROM generate_series(1, %s)"
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7238002)"
_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass
"""
# A row of statistics changes time after time: with room beside it, it stays on its page, and no index changes.
_STORED = {"attempts": "", "attempt_statistics": " WITH (fillfactor = 50)"}
_OF_DELIVERY = marked(
    f"SELECT {COLUMNS} FROM attempts WHERE webhook_id = ? AND bucket_id = ? AND sequence = ? AND generation = ?"
    " ORDER BY started_at_ms, id"
)
_LAST = marked(
    f"SELECT id, {COLUMNS} FROM attempts WHERE webhook_id = ? AND bucket_id = ? AND sequence = ?"
    " AND generation = ? ORDER BY day DESC, attempt DESC, id DESC LIMIT 1"
)
_OF_DAYS = "day >= DATE '1970-01-01' + CAST(? AS INTEGER) AND day <= DATE '1970-01-01' + CAST(? AS INTEGER) AND"
_EPOCH = date(1970, 1, 1)


class PostgresHistoryWriter:
    """Appends attempts to the partition of their day. Synchronous: run it in a thread of its own."""

    def __init__(self, conninfo: str) -> None:
        self._database = Reconnecting(conninfo)
        self._known: set[date] = set()

    def append(self, attempts: Iterable[Attempt]) -> None:
        days = {_date(day): members for day, members in by_day(attempts).items()}
        try:
            self._append(days)
        except psycopg.errors.CheckViolation:
            # A partition that we made has been dropped since.
            self._known.clear()
            self._append(days)

    def drop_before(self, time_ms: int) -> None:
        """Drop the partitions of days that ended before that time."""
        day = _date(time_ms // 86_400_000)

        def drop(connection: psycopg.Connection[Row]) -> None:
            for table in _STORED:
                for (name,) in connection.execute(_PARTITIONS, (table,)).fetchall():
                    if name < _partition(table, day):
                        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))

        self._database.run(drop)

    def close(self) -> None:
        self._database.close()

    def _append(self, days: dict[date, list[Attempt]]) -> None:
        # From then on they may be there, and must not be counted twice: rather not at all.
        is_committing = False

        def add(connection: psycopg.Connection[Row]) -> None:
            nonlocal is_committing
            with connection.transaction():
                self._add(connection, days)
                is_committing = True

        self._database.run(add, lambda: not is_committing)
        self._known.update(days)

    def _add(self, connection: psycopg.Connection[Row], days: dict[date, list[Attempt]]) -> None:
        connection.execute("SET LOCAL synchronous_commit = off")
        for day, members in days.items():
            if day not in self._known:
                make_partition(connection, day)
            ids = [row[0] for row in connection.execute(_IDS, (len(members),)).fetchall()]
            with connection.cursor().copy(_COPY.encode()) as copy:
                for identity, attempt in zip(ids, members, strict=True):
                    copy.write_row((day, identity, *map(_storable, to_row(attempt))))
            connection.cursor().executemany(_COUNT, [(day, *row) for row in tally(members)])


class _Day:
    """A day's partition."""

    def __init__(self, day: date, run: Callable[[bytes, tuple[Value, ...]], list[Row]]) -> None:
        self.number = (day - _EPOCH).days
        # Not by its name: it may be dropped at any time.
        self.attempts = f"(SELECT * FROM attempts WHERE day = '{day}') AS attempts"
        self._run = run

    def rows(self, sql: str, parameters: tuple[Value, ...]) -> list[Row]:
        return self._run(marked(sql), parameters)


class PostgresHistoryReader:
    """Finds attempts, the newest first. Synchronous, for one thread at a time."""

    def __init__(self, conninfo: str) -> None:
        self._database = Reconnecting(conninfo)

    def of_delivery(self, webhook_id: str, bucket_id: int, sequence: int, generation: int) -> list[Attempt]:
        """Every kept attempt of one delivery, in order."""
        return [from_row(row) for row in self._rows(_OF_DELIVERY, (webhook_id, bucket_id, sequence, generation))]

    def last_attempt(
        self, webhook_id: str, bucket_id: int, sequence: int, generation: int
    ) -> tuple[Place, Attempt] | None:
        """The delivery's newest kept attempt, with its place as `search` gives it."""
        for identity, *values in self._rows(_LAST, (webhook_id, bucket_id, sequence, generation)):
            last = from_row(tuple(values))
            return Place(last.started_at_ms, identity), last
        return None

    def search(self, webhook_id: str, wanted: Wanted, before: Place | None, limit: int) -> Found:
        """As `History.search`."""
        partitions = sorted((row[0] for row in self._rows(_PARTITIONS.encode(), ("attempts",))), reverse=True)
        days = (_Day(_day(name), self._rows) for name in partitions)
        return search(days, webhook_id, wanted, before, limit)

    def statistics(self, webhook_ids: Sequence[str], since_slot: int, until_slot: int, step: int) -> list[Step]:
        """As `History.statistics`: one query for all days."""
        if not webhook_ids:
            return []
        statement = marked(attempt_statistics.selection(len(webhook_ids), _OF_DAYS))
        first, last = since_slot // SLOTS_A_DAY, until_slot // SLOTS_A_DAY
        parameters = attempt_statistics.parameters(webhook_ids, since_slot, until_slot, step, first, last)
        return [attempt_statistics.from_row(row) for row in self._rows(statement, tuple(parameters))]

    def close(self) -> None:
        self._database.close()

    def _rows(self, statement: bytes, parameters: tuple[Any, ...]) -> list[Row]:
        return self._database.run(lambda connection: connection.execute(statement, parameters).fetchall())


def make_partition(connection: psycopg.Connection[Row], day: date) -> None:
    """Make room for that day's attempts and their statistics, in a transaction, where there is none."""
    connection.execute(_ONE_AT_A_TIME)
    first, after = sql.Literal(day), sql.Literal(day + timedelta(days=1))
    for table, stored in _STORED.items():
        statement = f"CREATE TABLE IF NOT EXISTS {{}} PARTITION OF {table} FOR VALUES FROM ({{}}) TO ({{}}){stored}"
        name = sql.Identifier(_partition(table, day))
        connection.execute(sql.SQL(statement).format(name, first, after))


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _partition(table: str, day: date) -> str:
    return f"{table}_{day:%Y_%m_%d}"


def _day(partition: str) -> date:
    return datetime.strptime(partition, "attempts_%Y_%m_%d").replace(tzinfo=UTC).date()


def _storable(value: Any) -> Any:
    """PostgreSQL's text holds no NUL; what a receiver sent may."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value
