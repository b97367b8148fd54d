"""A database that all data of another engine is moved to: rows come in batches, each with a note of how far it is.

The notes are tables of their own, outside the numbered schemas. While one says that the move has not ended, no server
may run on the database.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.database import Row
from elasticlake.metadata.moved_tables import LEFT_BEHIND, RowsDigest, Shape
from elasticlake.metadata.postgres.history import make_partition

_NOTES = """
CREATE TABLE data_migrations (source TEXT NOT NULL, summary TEXT);
CREATE TABLE data_migration_parts (part TEXT PRIMARY KEY, last TEXT NOT NULL, done BIGINT NOT NULL);
"""
_PUT_PART = """
INSERT INTO data_migration_parts (part, last, done) VALUES (%s, %s, %s)
ON CONFLICT (part) DO UPDATE SET last = excluded.last, done = excluded.done
"""
_GET_PART = "SELECT last, done FROM data_migration_parts WHERE part = %s"
_TYPES = """
SELECT column_name, udt_name FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = %s
"""
_OTHERS = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname LIMIT 3
"""
_ONE_AT_A_TIME = "SELECT pg_try_advisory_lock(7238003)"


class NotFinished(ElasticLakeError):
    """Data is still being moved to this database."""

    message = (
        "The database is the target of a move that has not ended: run the same `elasticlake migrate-data` again, or "
        "drop the database."
    )


class Part(NamedTuple):
    """How far a part of the move is: the key of its last row, and how many are done."""

    last: Row | None
    done: int


def require_finished(connection: psycopg.Connection[Any]) -> None:
    """Raises `NotFinished` if not all data has come yet."""
    noted = _noted(connection)
    if noted is not None and noted[1] is None:
        raise NotFinished


_PUT_FACT = """
INSERT INTO facts (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


class Transfer:
    """A move to the database behind a connection that nobody else uses."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        # A batch and its note are lost together, and come again.
        connection.execute("SET synchronous_commit = off")

    def is_ours(self) -> bool:
        """Whether no other move writes to the database, nor will while we are connected."""
        row = self._connection.execute(_ONE_AT_A_TIME).fetchone()
        return bool(row and row[0])

    def source(self) -> tuple[str, str | None] | None:
        """What was being moved here, and the summary if all of it has come; None if nothing was."""
        return _noted(self._connection)

    def strangers(self) -> list[str]:
        """Some of the tables that there are."""
        return [row[0] for row in self._connection.execute(_OTHERS).fetchall()]

    def first_filled(self, tables: Iterable[str]) -> str | None:
        """A table that has rows, of those and of what a running server writes; None if none has."""
        for table in (*LEFT_BEHIND, *tables):
            statement = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))
            if self._connection.execute(statement).fetchone():
                return table
        return None

    def begin(self, source: str) -> None:
        with self._connection.transaction():
            self._connection.execute(_NOTES)
            self._connection.execute("INSERT INTO data_migrations (source) VALUES (%s)", (source,))

    def make_day(self, day: date) -> None:
        """Make room for the attempts of that day."""
        with self._connection.transaction():
            make_partition(self._connection, day)

    def part(self, name: str) -> Part:
        """How far that part is."""
        row = self._connection.execute(_GET_PART, (name,)).fetchone()
        return Part(_key(row[0]), row[1]) if row else Part(None, 0)

    def put(self, name: str, shape: Shape, rows: Sequence[Row], done: int, fixed: Mapping[str, Any]) -> None:
        """Write the next rows of that part, and that so many are done then; `fixed` are further columns' values."""
        columns = (*shape.columns, *fixed)
        statement = f"COPY {shape.table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        types, further = self._types(shape.table, columns), tuple(fixed.values())
        with self._connection.transaction():
            with self._connection.cursor().copy(statement.encode()) as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row(row + further)
            self._connection.execute(_PUT_PART, (name, _text(shape.key_of(rows[-1])), done))

    def note(self, name: str, last: Row, done: int) -> None:
        """That part is so far, in what is not this database."""
        self._connection.execute(_PUT_PART, (name, _text(last), done))

    def digest(self, shape: Shape, fixed: Mapping[str, Any]) -> RowsDigest:
        """The digest of the table's rows that have those further values."""
        return RowsDigest.of(self._rows(shape, fixed))

    def _rows(self, shape: Shape, fixed: Mapping[str, Any]) -> Iterator[Row]:
        chosen = sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in fixed.items()
        )
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(map(sql.Identifier, shape.columns)), sql.Identifier(shape.table)
        )
        if fixed:
            query = sql.SQL("{} WHERE {}").format(query, chosen)
        statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(query)
        types = self._types(shape.table, shape.columns)
        with self._connection.cursor().copy(statement) as copy:
            copy.set_types(types)
            yield from copy.rows()

    def finish(self, numbers: Mapping[str, int], facts: Mapping[str, str], summary: str) -> None:
        """Let ids go on beyond the greatest ones, add the facts, and say that all has come: from now on a server may
        run. `numbers` are the next values of sequences, by the sequence's name or as `table.column`."""
        with self._connection.transaction():
            self._connection.execute("SET LOCAL synchronous_commit = on")
            for name, value in numbers.items():
                table, _, column = name.partition(".")
                sequence = "pg_get_serial_sequence(%s, %s)" if column else "%s"
                names = (table, column) if column else (table,)
                self._connection.execute(f"SELECT setval({sequence}, %s, false)".encode(), (*names, value))
            for fact in facts.items():
                self._connection.execute(_PUT_FACT, fact)
            self._connection.execute("UPDATE data_migrations SET summary = %s", (summary,))
            self._connection.execute("DELETE FROM data_migration_parts")

    def analyze(self, tables: Iterable[str]) -> None:
        """Let PostgreSQL learn what it has."""
        for table in tables:
            self._connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))

    def _types(self, table: str, columns: Sequence[str]) -> list[str]:
        rows = self._connection.execute(_TYPES, (table,)).fetchall()
        found = {str(row[0]): str(row[1]) for row in rows}
        return [found[column] for column in columns]


def _noted(connection: psycopg.Connection[Any]) -> tuple[str, str | None] | None:
    exists = connection.execute("SELECT to_regclass('data_migrations')").fetchone()
    row = connection.execute("SELECT source, summary FROM data_migrations").fetchone() if exists and exists[0] else None
    return (row[0], row[1]) if row else None


def _text(key: Row) -> str:
    return json.dumps([{"bytes": b64encode(one).decode()} if isinstance(one, bytes) else one for one in key])


def _key(text: str) -> Row:
    return tuple(b64decode(one["bytes"]) if isinstance(one, dict) else one for one in json.loads(text))
