"""Numbered steps: each once, all or nothing, one migration at a time, never a schema that the code does not know."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import sql
from tests.postgres import Postgres

from elasticlake.metadata import migrations
from elasticlake.metadata.migrations import Engine, Schema, SchemaTooNew
from elasticlake.metadata.postgres import migrations as module
from elasticlake.metadata.postgres.blocking import connect
from elasticlake.metadata.postgres.migrations import (
    SCHEMAS,
    SchemaTooOld,
    UnfitDatabase,
    migrate_postgres,
    require_newest,
    versions,
)

Connection = psycopg.Connection[tuple[object, ...]]
NEWEST = {schema: len(migrations.steps(schema, "postgres")) for schema in SCHEMAS}


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    with closing(connect(postgres_url)) as opened:
        yield opened


def tables(connection: Connection) -> set[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {str(row[0]) for row in found}


def set_version(connection: Connection, schema: Schema, version: int) -> None:
    connection.execute("UPDATE schema_versions SET version = %s WHERE schema = %s", (version, schema))


@pytest.fixture
def core_steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of schema `core`, to be changed by the test; the other schemas have none."""
    steps = ["CREATE TABLE one (a INTEGER)"]

    def steps_of(schema: Schema, engine: Engine) -> list[str]:
        assert engine == "postgres"
        return steps if schema == "core" else []

    monkeypatch.setattr(module, "steps", steps_of)
    return steps


def test_an_empty_database_gets_every_step_and_an_up_to_date_one_none(connection: Connection) -> None:
    assert versions(connection) == dict.fromkeys(SCHEMAS, 0)
    assert migrate_postgres(connection) == {schema: (0, NEWEST[schema]) for schema in SCHEMAS}
    assert {"objects", "lanes", "nodes", "attempts"} <= tables(connection)
    connection.execute("INSERT INTO facts VALUES ('kept', 'value')")
    assert migrate_postgres(connection) == {schema: (NEWEST[schema], NEWEST[schema]) for schema in SCHEMAS}
    assert versions(connection) == NEWEST
    assert connection.execute("SELECT * FROM facts").fetchall() == [("kept", "value")]


def test_each_engine_has_as_many_steps(connection: Connection) -> None:
    """A step is numbered once, whatever it is on each; the history's tables are files of their own on SQLite."""
    for schema in ("core", "delivery"):
        assert len(migrations.steps(schema, "postgres")) == len(migrations.steps(schema, "sqlite"))  # type: ignore[arg-type]


def test_a_later_step_is_applied_alone(connection: Connection, core_steps: list[str]) -> None:
    migrate_postgres(connection)
    connection.execute("INSERT INTO one VALUES (5)")
    core_steps.append("ALTER TABLE one ADD COLUMN b INTEGER; CREATE TABLE two (a INTEGER)")
    assert migrate_postgres(connection)["core"] == (1, 2)
    assert connection.execute("SELECT a, b FROM one").fetchall() == [(5, None)]
    assert "two" in tables(connection)


def test_a_step_that_fails_leaves_nothing_of_any(connection: Connection, core_steps: list[str]) -> None:
    migrate_postgres(connection)
    core_steps += ["CREATE TABLE two (a INTEGER)", "CREATE TABLE three (a INTEGER); CREATE TABLE one (a INTEGER)"]
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate_postgres(connection)
    assert tables(connection) == {"one", "schema_versions"}
    assert versions(connection)["core"] == 1
    core_steps[2] = "CREATE TABLE three (a INTEGER)"
    assert migrate_postgres(connection)["core"] == (1, 3)


@pytest.mark.parametrize("migrate", [migrate_postgres, require_newest])
def test_of_many_at_once_one_does_the_work(postgres_url: str, migrate: object) -> None:
    failures: list[Exception] = []
    together = threading.Barrier(5)

    def work() -> None:
        try:
            with closing(connect(postgres_url)) as connection:
                together.wait(20)
                migrate(connection)  # type: ignore[operator]
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with closing(connect(postgres_url)) as connection:
        assert versions(connection) == NEWEST


def test_a_second_one_waits_for_the_first(postgres_url: str, connection: Connection, core_steps: list[str]) -> None:
    core_steps[0] = "CREATE TABLE one (a INTEGER); SELECT pg_sleep(0.3)"
    first = threading.Thread(target=lambda: migrate_and_close(postgres_url))
    first.start()
    give_up_at = time.monotonic() + 20
    while connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,):
        assert time.monotonic() < give_up_at
    assert migrate_postgres(connection)["core"] == (1, 1)
    first.join()


def migrate_and_close(url: str) -> None:
    with closing(connect(url)) as connection:
        migrate_postgres(connection)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_newer_schema_is_refused_and_left_alone(connection: Connection, schema: Schema) -> None:
    migrate_postgres(connection)
    set_version(connection, schema, 1000)
    before = (tables(connection), versions(connection))
    for refuse in (migrate_postgres, require_newest):
        with pytest.raises(SchemaTooNew, match=r"version 1000.*Upgrade") as refused:
            refuse(connection)
        assert "\n" not in str(refused.value)
    assert (tables(connection), versions(connection)) == before


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_server_refuses_an_older_schema_and_says_what_to_do(connection: Connection, schema: Schema) -> None:
    migrate_postgres(connection)
    set_version(connection, schema, NEWEST[schema] - 1)
    with pytest.raises(SchemaTooOld, match=rf"{schema} schema has version {NEWEST[schema] - 1}.*elasticlake migrate"):
        require_newest(connection)
    assert versions(connection)[schema] == NEWEST[schema] - 1


def test_a_server_gives_an_empty_database_its_schema(connection: Connection) -> None:
    require_newest(connection)
    assert versions(connection) == NEWEST
    require_newest(connection)
    assert versions(connection) == NEWEST


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_is_refused(postgres: Postgres, encoding: str) -> None:
    name = "other_encoding_for_a_test"
    with psycopg.connect(postgres.url, autocommit=True) as administering:
        administering.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE 'C'").format(
                sql.Identifier(name), sql.Literal(encoding)
            )
        )
    url = postgres.url_of(name)
    try:
        with closing(connect(url)) as connection:
            for refuse in (migrate_postgres, require_newest):
                with pytest.raises(UnfitDatabase, match=f" is {encoding}; it must be UTF8"):
                    refuse(connection)
            assert tables(connection) == set()
    finally:
        postgres.drop_database(url)
