"""Migrations on PostgreSQL. They run when somebody asks for them: a fleet is upgraded node by node, its schema once."""

from __future__ import annotations

from typing import Any

import psycopg

from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.migrations import Schema, SchemaTooNew, steps

SCHEMAS: tuple[Schema, ...] = ("core", "delivery", "history")
# Whoever comes second waits, and finds the work done. Any number, as long as nobody else in this database uses it.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7238000)"
_VERSIONS = """
CREATE TABLE IF NOT EXISTS schema_versions (schema TEXT PRIMARY KEY, version BIGINT NOT NULL)
"""
_PUT_VERSION = """
INSERT INTO schema_versions (schema, version) VALUES (%s, %s)
ON CONFLICT (schema) DO UPDATE SET version = excluded.version
"""


class SchemaTooOld(ElasticLakeError):
    """The database has not been migrated to what this version needs."""

    def __init__(self, schema: str, found: int, known: int) -> None:
        super().__init__(
            f"The database's {schema} schema has version {found}; this ElasticLake needs {known}. "
            "Run: elasticlake migrate --metadata URL"
        )


class UnfitDatabase(ElasticLakeError):
    """The database cannot hold this project's data."""


def migrate_postgres(connection: psycopg.Connection[Any]) -> dict[Schema, tuple[int, int]]:
    """Bring every schema to the newest version that this code knows; returns (version before, version now) of each.

    Raises `SchemaTooNew`, and `UnfitDatabase` for an encoding other than UTF8. All or nothing.
    """
    with connection.transaction():
        connection.execute(_ONE_AT_A_TIME)
        _require_utf8(connection)
        connection.execute(_VERSIONS)
        return {schema: _migrate(connection, schema) for schema in SCHEMAS}


def require_newest(connection: psycopg.Connection[Any]) -> None:
    """Raises `SchemaTooNew` or `SchemaTooOld`; an empty database is given its schema."""
    with connection.transaction():
        connection.execute(_ONE_AT_A_TIME)
        is_there = has_newest(connection)
    if not is_there:
        migrate_postgres(connection)


def has_newest(connection: psycopg.Connection[Any]) -> bool:
    """Whether the schema is there; raises `SchemaTooNew` or `SchemaTooOld`."""
    found = versions(connection)
    if not any(found.values()):
        return False
    for schema in SCHEMAS:
        known = len(steps(schema, "postgres"))
        if found[schema] > known:
            raise SchemaTooNew(found[schema], known)
        if found[schema] < known:
            raise SchemaTooOld(schema, found[schema], known)
    return True


def versions(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Each schema's version, 0 where there is none yet."""
    exists = connection.execute("SELECT to_regclass('schema_versions')").fetchone()
    rows = connection.execute("SELECT schema, version FROM schema_versions").fetchall() if exists and exists[0] else []
    return {**dict.fromkeys(SCHEMAS, 0), **dict(rows)}


def _migrate(connection: psycopg.Connection[Any], schema: Schema) -> tuple[int, int]:
    found, known = versions(connection)[schema], steps(schema, "postgres")
    if found > len(known):
        raise SchemaTooNew(found, len(known))
    for script in known[found:]:
        connection.execute(script.encode())
    connection.execute(_PUT_VERSION, (schema, len(known)))
    return found, len(known)


def _require_utf8(connection: psycopg.Connection[Any]) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UnfitDatabase(f"The database's encoding is {encoding}; it must be UTF8 (createdb -E UTF8).")
