"""Checkpoints beside commits: the log stays small, nothing waits for a reader, and faults are the next commit's."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
import pytest_asyncio

from elasticlake.metadata import checkpointer, facts, sqlite
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import PAGE_SIZE_BYTES, SqliteReader, connect
from elasticlake.metadata.sqlite_database import SqliteDatabase

PAGES = 50
COMMITS = 300
VALUE = "v" * 3 * PAGE_SIZE_BYTES


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", PAGES)
    with closing(connect(tmp_path / "metadata.db")) as connection:
        migrate_sqlite(connection, "core")
    return tmp_path / "metadata.db"


@pytest_asyncio.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(path)
    yield opened
    await opened.close()


async def put(database: SqliteDatabase, number: int) -> None:
    def mutation(tx: Transaction) -> None:
        facts.put(tx, f"fact {number % 20}", f"{number} {VALUE}")

    await database.write(mutation)


def log_pages(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size // PAGE_SIZE_BYTES


async def test_the_log_stays_small(database: SqliteDatabase, path: Path) -> None:
    for number in range(COMMITS):
        await put(database, number)
    # Without checkpoints it would have four pages and more of each commit.
    assert log_pages(path) < 2 * COMMITS
    assert threading.active_count() < 10


async def test_the_log_is_copied_a_little_at_a_time(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is fsynced at once is what the commits beside it wait for."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 1_000_000)
    monkeypatch.setattr(checkpointer, "STEPS", 1_000_000 // PAGES)
    monkeypatch.setattr(checkpointer, "PAUSE_SECONDS", 0)
    before = path.stat().st_size
    for number in range(COMMITS):
        await put(database, number)
        await asyncio.sleep(0.001)
    assert path.stat().st_size > before
    assert log_pages(path) < COMMITS


async def test_a_reader_of_an_older_state_holds_up_no_commit(database: SqliteDatabase, path: Path) -> None:
    """A backup, or a check, reads for minutes."""
    with closing(connect(path)) as connection:
        connection.execute("BEGIN")
        before = SqliteReader(connection).rows("SELECT count(*) FROM facts")
        slowest_seconds = 0.0
        for number in range(COMMITS):
            began_at = time.monotonic()
            await put(database, number)
            slowest_seconds = max(slowest_seconds, time.monotonic() - began_at)
        assert SqliteReader(connection).rows("SELECT count(*) FROM facts") == before
    assert slowest_seconds < sqlite.BUSY_SECONDS / 2
    # When it is gone, the log is begun anew.
    grown = log_pages(path)
    for number in range(COMMITS):
        await asyncio.sleep(0.001)
        await put(database, number)
    assert log_pages(path) < grown + COMMITS


async def test_after_a_fault_the_next_commit_asks_again(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter([apsw.CantOpenError("no more files"), MemoryError(), OSError("no more files")])

    def connect_sometimes(*args: Any, **how: Any) -> apsw.Connection:
        for fault in faults:
            raise fault
        return connect(*args, **how)

    monkeypatch.setattr(sqlite, "connect", connect_sometimes)
    monkeypatch.setattr(checkpointer, "PAUSE_SECONDS", 0.001)
    for number in range(COMMITS):
        await put(database, number)
    assert next(faults, None) is None
    assert log_pages(path) < 2 * COMMITS


async def test_everything_is_there_after_it_was_closed(path: Path) -> None:
    database = SqliteDatabase(path)
    for number in range(COMMITS):
        await put(database, number)
    await database.close()
    assert not path.with_name(path.name + "-wal").exists()
    with closing(connect(path)) as connection:
        assert facts.get(SqliteReader(connection), f"fact {(COMMITS - 1) % 20}") == f"{COMMITS - 1} {VALUE}"
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
