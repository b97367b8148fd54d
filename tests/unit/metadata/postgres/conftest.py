"""A PostgreSQL database with the newest schema, opened as often as a test likes, also through a network that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import psycopg
import pytest
import pytest_asyncio
from tests.postgres import Postgres
from tests.proxy import Proxy

from elasticlake.metadata.database import Reader, Transaction
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.migrations import migrate_postgres

Open = Callable[[str], PostgresDatabase]


@pytest.fixture
def url(postgres_url: str) -> str:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        migrate_postgres(connection)
    return postgres_url


@pytest_asyncio.fixture
async def open_database() -> AsyncIterator[Open]:
    """Opens the database at a URL, as a gateway would; closed at the end of the test."""
    async with AsyncExitStack() as opened:

        def open_one(url: str) -> PostgresDatabase:
            database = PostgresDatabase(url)
            opened.push_async_callback(database.close)
            return database

        yield open_one


@pytest_asyncio.fixture
async def database(open_database: Open, url: str) -> PostgresDatabase:
    return open_database(url)


@pytest.fixture
def proxy(postgres: Postgres, url: str) -> Iterator[Proxy]:
    """The network between a gateway and the database."""
    with Proxy("127.0.0.1", postgres.port) as between:
        yield between


@pytest.fixture
def far_url(postgres: Postgres, proxy: Proxy, url: str) -> str:
    """The database at the other end of the network."""
    return url.replace(f":{postgres.port}/", f":{proxy.port}/")


def put_fact(name: str, value: str = "value") -> Callable[[Transaction], None]:
    return lambda tx: tx.run("INSERT INTO facts (name, value) VALUES (?, ?)", (name, value))


def fact_names(reader: Reader) -> list[str]:
    return [row[0] for row in reader.rows("SELECT name FROM facts ORDER BY name")]


def end_sessions(url: str, application: str = "elasticlake") -> int:
    """End every session of that name in the database, as an administrator would; returns how many there were."""
    sql = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = %s AND pid <> pg_backend_pid()
    """
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(sql, (application,)).fetchone()
    assert row is not None
    return int(row[0])
