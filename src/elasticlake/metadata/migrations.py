"""Numbered migrations: each runs once, in order, in a transaction of its own."""

from __future__ import annotations

from importlib import resources
from typing import Literal

import apsw

from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.sqlite import SqliteReader

Schema = Literal["core", "delivery", "history"]
Engine = Literal["sqlite", "postgres"]


class SchemaTooNew(ElasticLakeError):
    """The data was written by a newer ElasticLake."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"The data has schema version {found}; this ElasticLake knows versions up to {known}. Upgrade it."
        )


def migrate_sqlite(connection: apsw.Connection, schema: Schema) -> int:
    """Bring the database to the newest version that this code knows, and return that; raises `SchemaTooNew`."""
    known = steps(schema, "sqlite")
    found = sqlite_version(connection)
    if found > len(known):
        raise SchemaTooNew(found, len(known))
    for number, script in enumerate(known[found:], start=found + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(script)
            connection.execute(f"PRAGMA user_version={number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    return len(known)


def sqlite_version(connection: apsw.Connection) -> int:
    """The version of the schema in the database, 0 where there is none yet."""
    return int(SqliteReader(connection).rows("PRAGMA user_version")[0][0])


def steps(schema: Schema, engine: Engine) -> list[str]:
    """The scripts of a schema on an engine; the n-th leads to version n."""
    folder = resources.files("elasticlake.metadata") / "migrations" / schema
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(f".{engine}.sql"))
    return [(folder / name).read_text() for name in names]
