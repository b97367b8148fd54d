"""The engines that the suite runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from elasticlake.metadata import buckets, hierarchy
from elasticlake.metadata.database import Database, Transaction
from elasticlake.metadata.migrations import Schema, migrate_sqlite
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.migrations import migrate_postgres
from elasticlake.metadata.sqlite import connect
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.model.objects import Bucket

Open = Callable[[], Database]
"""Opens the same database once more, as another process would; closed at the end of the test."""


def sqlite_opener(request: pytest.FixtureRequest, schema: Schema = "core") -> Open:
    path: Path = request.getfixturevalue("tmp_path") / f"{schema}.db"
    connection = connect(path)
    migrate_sqlite(connection, schema)
    connection.close()
    return lambda: SqliteDatabase(path)


def postgres_opener(request: pytest.FixtureRequest, schema: Schema = "core") -> Open:
    """One database has every schema."""
    url: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        migrate_postgres(connection)
    return lambda: PostgresDatabase(url)


ENGINES: dict[str, Callable[[pytest.FixtureRequest, Schema], Open]] = {
    "postgres": postgres_opener,
    "sqlite": sqlite_opener,
}


@asynccontextmanager
async def closing_all(opener: Open) -> AsyncIterator[Open]:
    """Opens as `opener` does, and closes what was opened."""
    async with AsyncExitStack() as opened:

        def open_one() -> Database:
            database = opener()
            opened.push_async_callback(database.close)
            return database

        yield open_one


@pytest_asyncio.fixture(params=sorted(ENGINES))
async def open_database(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    async with closing_all(ENGINES[request.param](request, "core")) as open_one:
        yield open_one


@pytest_asyncio.fixture(params=sorted(ENGINES))
async def open_state(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """As `open_database`, for the state of deliveries and the nodes."""
    async with closing_all(ENGINES[request.param](request, "delivery")) as open_one:
        yield open_one


@pytest_asyncio.fixture
async def state(open_state: Open) -> Database:
    return open_state()


@pytest_asyncio.fixture
async def database(open_database: Open) -> Database:
    return open_database()


def create_bucket(tx: Transaction, name: str = "my-bucket") -> Bucket:
    """A bucket in lake and pond `default`."""
    if hierarchy.get_pond(tx, "default", "default") is None:
        hierarchy.insert_lake(tx, "default", "root", "default", 0)
        lake = hierarchy.get_lake(tx, "default")
        assert lake is not None
        hierarchy.insert_pond(tx, lake.id, "default", "default", 0)
    lake, pond = hierarchy.get_lake(tx, "default"), hierarchy.get_pond(tx, "default", "default")
    assert lake is not None
    assert pond is not None
    return buckets.insert(tx, name, lake.id, pond.id, "root", "private", 0)
