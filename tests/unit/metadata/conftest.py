"""A database with the newest schema, and a transaction on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from elasticlake.metadata import buckets, hierarchy
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import SqliteTransaction, connect
from elasticlake.model.objects import Bucket


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    with closing(connect(tmp_path / "metadata.db", durable=False)) as opened:
        migrate_sqlite(opened, "core")
        yield opened


@pytest.fixture
def tx(connection: apsw.Connection) -> SqliteTransaction:
    return SqliteTransaction(connection)


@pytest.fixture
def bucket(tx: SqliteTransaction) -> Bucket:
    return insert_bucket(tx, "my-bucket")


def insert_bucket(tx: Transaction, name: str) -> Bucket:
    """A bucket in lake and pond `default`, which are made with the first."""
    if hierarchy.get_lake(tx, "default") is None:
        hierarchy.insert_lake(tx, "default", "root", "Default lake", 0)
        lake = hierarchy.get_lake(tx, "default")
        assert lake is not None
        hierarchy.insert_pond(tx, lake.id, "default", "Default pond", 0)
    lake, pond = hierarchy.get_lake(tx, "default"), hierarchy.get_pond(tx, "default", "default")
    assert lake is not None
    assert pond is not None
    return buckets.insert(tx, name, lake.id, pond.id, "root", "private", 5)
