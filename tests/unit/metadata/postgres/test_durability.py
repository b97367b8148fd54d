"""What a commit's answer promises (I1), however the database server is set."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from tests.unit.metadata.postgres.conftest import Open

from elasticlake.metadata.database import Reader
from elasticlake.metadata.postgres.database import PostgresDatabase


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
