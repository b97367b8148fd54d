"""The engines that the suite runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from elasticlake.metadata import buckets, hierarchy
from elasticlake.metadata.database import Database, Transaction
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import connect
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.model.objects import Bucket

Open = Callable[[], Database]
"""Opens the same database once more, as another process would; closed at the end of the test."""


def sqlite_opener(folder: Path) -> Open:
    path = folder / "metadata.db"
    connection = connect(path)
    migrate_sqlite(connection, "core")
    connection.close()
    return lambda: SqliteDatabase(path)


ENGINES: dict[str, Callable[[Path], Open]] = {"sqlite": sqlite_opener}


@pytest_asyncio.fixture(params=sorted(ENGINES))
async def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    opener = ENGINES[request.param](tmp_path)
    async with AsyncExitStack() as opened:

        def open_one() -> Database:
            database = opener()
            opened.push_async_callback(database.close)
            return database

        yield open_one


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
