"""What a commit's answer promises (I1), however the database server is set."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from tests.postgres import running_postgres
from tests.unit.metadata.postgres.conftest import Open

from elasticlake.metadata import nodes
from elasticlake.metadata.database import Reader
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.migrations import migrate_postgres


def synchronous_commit(reader: Reader) -> str:
    row = reader.row("SELECT current_setting('synchronous_commit')")
    assert row is not None
    return str(row[0])


def set_for_all_sessions(url: str, value: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}").format(name, sql.Literal(value)))


@pytest.mark.parametrize(("chosen", "used"), [("off", "on"), ("on", "on"), ("remote_apply", "remote_apply")])
async def test_a_commit_waits_for_the_disk_and_for_standbys_as_the_server_says(
    url: str, open_database: Open, chosen: str, used: str
) -> None:
    set_for_all_sessions(url, chosen)
    assert await open_database(url).write(synchronous_commit) == used


async def test_the_state_of_deliveries_waits_for_neither(url: str) -> None:
    set_for_all_sessions(url, "remote_apply")
    state = PostgresDatabase(url, durable=False)
    try:
        assert await state.write(synchronous_commit) == "off"
    finally:
        await state.close()


async def register(url: str, name: str) -> int:
    state = PostgresDatabase(url, durable=False)
    try:
        return await state.write(lambda tx: nodes.register(tx, "dispatcher", name))
    finally:
        await state.close()


async def test_an_epoch_that_a_crash_took_back_never_comes_again() -> None:
    """A sequence would be taken back with the rows, and whoever has such an epoch lives on."""
    with running_postgres(durable=True, wal_writer_delay="10s") as server:
        url = server.create_database()
        with psycopg.connect(url, autocommit=True) as connection:
            migrate_postgres(connection)
        taken_back = await register(url, "first")
        server.kill9()
        server.start()
        assert await register(url, "second") != taken_back
        state = PostgresDatabase(url)
        try:
            assert [node.name for node in await state.read(nodes.all_nodes)] == ["second"]
        finally:
            await state.close()
