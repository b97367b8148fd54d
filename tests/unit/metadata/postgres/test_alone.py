"""Mutations that exclude all others see what they waited for, however the database is set."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg import sql
from tests.unit.metadata.postgres.conftest import Open, fact_names, put_fact

from elasticlake.metadata.database import Transaction

_GATE = 4711
_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
PATIENCE_SECONDS = 20.0


async def until_waiting(connection: psycopg.Connection[tuple[int]], wanted: int) -> None:
    """Until so many sessions wait for advisory locks."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if connection.execute(_WAITING).fetchone() == (wanted,):
                return
            await asyncio.sleep(0.01)


async def test_where_the_default_isolation_is_stricter(open_database: Open, url: str) -> None:
    """A snapshot taken before the wait would not have what was waited for."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        strict = sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'").format(name)
        connection.execute(strict)
        connection.execute("SELECT pg_advisory_lock(%s)", (_GATE,))
        first, second = open_database(url), open_database(url)

        def put(tx: Transaction) -> None:
            put_fact("first")(tx)
            tx.rows(f"SELECT 1 FROM pg_advisory_xact_lock({_GATE})")

        putting = asyncio.create_task(first.write(put))
        await until_waiting(connection, 1)
        looking = asyncio.create_task(second.write(fact_names))
        await until_waiting(connection, 2)
        connection.execute("SELECT pg_advisory_unlock(%s)", (_GATE,))
        await putting
        assert await looking == ["first"]
