"""Whole tables of SQLite, in the order of their primary keys, from any row on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw

from elasticlake.metadata.database import Row
from elasticlake.metadata.moved_tables import Shape
from elasticlake.metadata.sqlite import SqliteReader


def shape_of(connection: apsw.Connection, table: str) -> Shape:
    """What SQLite itself knows of the table."""
    found = SqliteReader(connection).rows(f"PRAGMA table_info({table})")
    key = sorted((row[5], place) for place, row in enumerate(found) if row[5])
    return Shape(table, tuple(row[1] for row in found), tuple(place for _, place in key))


def rows_beyond(connection: apsw.Connection, shape: Shape, last: Row | None) -> Iterator[Row]:
    """The rows whose key is beyond `last`, or all, by key; as PostgreSQL can hold them."""
    names = ", ".join(shape.columns[place] for place in shape.key)
    beyond = f"WHERE ({names}) > ({', '.join('?' * len(shape.key))})" if last is not None else ""
    sql = f"SELECT {', '.join(shape.columns)} FROM {shape.table} {beyond} ORDER BY {names}"
    for row in connection.execute(sql, last or ()):
        yield tuple(map(_storable, row)) if any(map(_has_nul, row)) else row


def count(connection: apsw.Connection, table: str) -> int:
    return int(SqliteReader(connection).rows(f"SELECT count(*) FROM {table}")[0][0])


def greatest_id(connection: apsw.Connection, table: str, column: str) -> int:
    """The greatest id that was ever given out; 0 if none was."""
    reader = SqliteReader(connection)
    numbered = reader.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
    found = reader.rows(f"SELECT max({column}) FROM {table}")
    return max(int(rows[0][0] or 0) if rows else 0 for rows in (numbered, found))


def _has_nul(value: Any) -> bool:
    return isinstance(value, str) and "\x00" in value


def _storable(value: Any) -> Any:
    """PostgreSQL's text holds no NUL."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value
