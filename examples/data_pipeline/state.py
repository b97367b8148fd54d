"""The pipeline's state in one SQLite database: what is to be done, what it came to, and what can be thrown away.

What a change came to is stored in the transaction that takes the change out of the inbox. So it happens once, whatever
is sent twice and wherever a process dies.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    bucket TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    key TEXT NOT NULL,
    etag TEXT,                  -- NULL: the object is deleted
    PRIMARY KEY (bucket, sequence)
);
CREATE TABLE IF NOT EXISTS tables (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,  -- of the last change that counted
    parquet TEXT,               -- the object with the rows; NULL: there is none
    rows INTEGER NOT NULL,
    error TEXT,                 -- why the CSV could not be read
    PRIMARY KEY (bucket, key)
);
CREATE TABLE IF NOT EXISTS totals (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS leftovers (parquet TEXT NOT NULL PRIMARY KEY);
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What an event told."""

    bucket: str
    sequence: int
    key: str
    etag: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """What the changes of a CSV came to, up to the one with this sequence."""

    sequence: int = 0
    parquet: str | None = None
    rows: int = 0
    error: str | None = None


def put(change: Change) -> None:
    """Take down a change, unless the table is that far already. When this returns, it is on disk."""
    with _transaction() as database:
        if change.sequence > _table(database, change).sequence:
            row = (change.bucket, change.sequence, change.key, change.etag)
            database.execute("INSERT INTO inbox VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


def first() -> Change | None:
    """What is to be done next: of each bucket, its changes in sequence."""
    with _transaction() as database:
        found = database.execute("SELECT bucket, sequence, key, etag FROM inbox ORDER BY sequence LIMIT 1").fetchone()
    return None if found is None else Change(*found)


def finish(change: Change, table: Table) -> None:
    """The change came to this table: its effect, its sequence and its end, all or nothing. A change that is not later
    than the last that counted has no effect."""
    with _transaction() as database:
        _end(database, change)
        before = _table(database, change)
        if change.sequence <= before.sequence:
            return _leave(database, table.parquet)
        values = (change.bucket, change.key, table.sequence, table.parquet, table.rows, table.error)
        database.execute("INSERT OR REPLACE INTO tables VALUES (?, ?, ?, ?, ?, ?)", values)
        _leave(database, before.parquet)
        _add(database, "changes", 1)
        _add(database, "rows", table.rows - before.rows)


def skip(change: Change, parquet: str) -> None:
    """The object is another by now, of which a later change tells. An earlier run may have stored the Parquet."""
    with _transaction() as database:
        _end(database, change)
        _leave(database, parquet)


def leftovers() -> list[str]:
    """Objects that belong to no table: they can be deleted."""
    with _transaction() as database:
        used = "SELECT parquet FROM tables WHERE parquet IS NOT NULL"
        return [name for (name,) in database.execute(f"SELECT parquet FROM leftovers WHERE parquet NOT IN ({used})")]


def deleted(parquet: str) -> None:
    """The object is."""
    with _transaction() as database:
        database.execute("DELETE FROM leftovers WHERE parquet = ?", (parquet,))


def tables() -> dict[tuple[str, str], Table]:
    """All, by bucket and key."""
    with _transaction() as database:
        found = database.execute("SELECT bucket, key, sequence, parquet, rows, error FROM tables").fetchall()
    return {(bucket, key): Table(*values) for bucket, key, *values in found}


def totals() -> dict[str, int]:
    """How many rows all tables have, and how many changes have counted: sums, which a change that counts twice would
    spoil."""
    with _transaction() as database:
        return {"rows": 0, "changes": 0} | dict(database.execute("SELECT name, value FROM totals"))


def _table(database: sqlite3.Connection, change: Change) -> Table:
    asked = "SELECT sequence, parquet, rows, error FROM tables WHERE bucket = ? AND key = ?"
    found = database.execute(asked, (change.bucket, change.key)).fetchone()
    return Table() if found is None else Table(*found)


def _end(database: sqlite3.Connection, change: Change) -> None:
    database.execute("DELETE FROM inbox WHERE bucket = ? AND sequence = ?", (change.bucket, change.sequence))


def _leave(database: sqlite3.Connection, parquet: str | None) -> None:
    if parquet is not None:
        database.execute("INSERT INTO leftovers VALUES (?) ON CONFLICT DO NOTHING", (parquet,))


def _add(database: sqlite3.Connection, name: str, value: int) -> None:
    counted = "INSERT INTO totals VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"
    database.execute(counted, (name, value))


@contextmanager
def _transaction() -> Iterator[sqlite3.Connection]:
    path = os.environ.get("PIPELINE_DATABASE", "data/pipeline.db")
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
        database.executescript(_SCHEMA)
        with database:
            database.execute("BEGIN IMMEDIATE")  # what is read here stays true until it is written
            yield database
