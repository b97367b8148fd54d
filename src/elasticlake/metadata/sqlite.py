"""The embedded engine: SQLite in WAL mode; reads inline on the event loop, one writer thread that commits in groups.

A read costs microseconds, less than handing it to a thread would. A commit costs an fsync, so the writer takes every mutation
that waits and commits them as one transaction (group commit). Invariants: I1 (`synchronous=FULL`: the commit returns after
the fsync), I2, and I3 (a single writer, so sequences are in commit order).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw

from elasticlake.errors import InsufficientStorage, Unavailable
from elasticlake.metadata.database import Committed, Reader, Row, Transaction, Value

T = TypeVar("T")

PAGE_SIZE_BYTES = 8192
MAX_GROUP = 128
BUSY_SECONDS = 10.0
# A checkpoint copies the log's pages into the database and fsyncs both; every 4,000 pages (32 MiB) keeps that off most commits.
CHECKPOINT_PAGES = 4000


def connect(path: Path, *, durable: bool = True, readonly: bool = False, vfs: str | None = None) -> apsw.Connection:
    """A connection set up as this engine needs it. `durable=False` survives a crash of the process, not of the machine."""
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=200)
    connection.set_busy_handler(_wait_for_lock())
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    if not readonly:
        connection.execute(f"PRAGMA page_size={PAGE_SIZE_BYTES}")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute("PRAGMA cache_size=-32768")
    connection.execute("PRAGMA foreign_keys=OFF")
    return connection


def _wait_for_lock() -> Callable[[int], bool]:
    """SQLite's own handler sleeps up to 100 ms at a time; a commit takes one, so we look again much sooner."""
    started = 0.0

    def wait(earlier_calls: int) -> bool:
        nonlocal started
        if earlier_calls == 0:
            started = time.monotonic()
        time.sleep(0.0005)
        return time.monotonic() - started < BUSY_SECONDS

    return wait


class SqliteReader:
    """A `Reader` over one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self._execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        cursor = self._execute(sql, parameters)
        first = cursor.fetchone()
        cursor.close()
        return first


class SqliteTransaction(SqliteReader):
    """A `Transaction` over the writer's connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.memo: dict[Any, Any] = {}
        self.committed: Committed = {}
        self.changes = 0
        self._actions: dict[str, Callable[[Transaction], None]] = {}

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        self.changes += 1
        self._execute(sql, parameters)

    def changing(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        self.changes += 1
        return self._execute(sql, parameters).fetchall()

    def before_commit(self, name: str, action: Callable[[Transaction], None]) -> None:
        self._actions[name] = action

    def finish(self) -> None:
        for action in self._actions.values():
            action(self)


@dataclass(slots=True)
class _Waiting:
    """A mutation, and who waits for it."""

    mutation: Callable[[Transaction], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase:
    """A `Database` in one SQLite file."""

    def __init__(self, path: Path, *, durable: bool = True, vfs: str | None = None) -> None:
        self._writer_connection = connect(path, durable=durable, vfs=vfs)
        self._reader_connection = connect(path, durable=durable, vfs=vfs)
        self._reader = SqliteReader(self._reader_connection)
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._listeners: list[Callable[[Committed], None]] = []
        self._thread = threading.Thread(target=self._write_groups, name=f"writer {path.name}", daemon=True)
        self._thread.start()

    async def read(self, query: Callable[[Reader], T]) -> T:
        return query(self._reader)

    async def write(self, mutation: Callable[[Transaction], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Waiting(mutation, loop, future))
        return await future

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    async def close(self) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader_connection.close()
        self._writer_connection.close()

    def _write_groups(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            group, ends = [first], False
            while len(group) < MAX_GROUP and not self._waiting.empty():
                waiting = self._waiting.get()
                if waiting is None:
                    ends = True
                    break
                group.append(waiting)
            self._settle(group, self._commit(group))
            if ends:
                return

    def _commit(self, group: list[_Waiting]) -> Committed:
        """Commit the group; every member ends with its result or its error."""
        try:
            transaction = self._attempt(group, savepoints=False) or self._attempt(group, savepoints=True)
        except apsw.Error as error:
            for waiting in group:
                waiting.error = _translated(error)
            return {}
        assert transaction is not None
        return transaction.committed

    def _attempt(self, group: list[_Waiting], *, savepoints: bool) -> SqliteTransaction | None:
        """Run the group in one transaction.

        Most failures (a condition that does not hold) come before the first change and undo nothing, so savepoints are
        paid for only when they are needed: None says that one failed half-way, and the group must run again with them.
        """
        connection = self._writer_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            transaction = SqliteTransaction(connection)
            for waiting in group:
                if savepoints:
                    _run_alone(connection, transaction, waiting)
                elif not _run(transaction, waiting):
                    connection.execute("ROLLBACK")
                    return None
            transaction.finish()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return transaction

    def _settle(self, group: list[_Waiting], committed: Committed) -> None:
        """Hand each result to the event loop that waits for it: one wake-up for the group."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        for waiting in group:
            by_loop.setdefault(waiting.loop, []).append(waiting)
        for loop, members in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._resolve, members, committed)
            except RuntimeError:
                # The loop closed while its mutation was being committed: nobody waits any more.
                continue

    def _resolve(self, members: list[_Waiting], committed: Committed) -> None:
        for waiting in members:
            if waiting.future.done():
                continue
            if waiting.error is None:
                waiting.future.set_result(waiting.result)
            else:
                waiting.future.set_exception(waiting.error)
        if committed:
            for listener in self._listeners:
                listener(committed)


def _run(transaction: SqliteTransaction, waiting: _Waiting) -> bool:
    """Run one mutation; False if it failed after it had changed something."""
    changes = transaction.changes
    waiting.error = None
    memo = dict(transaction.memo)
    try:
        waiting.result = waiting.mutation(transaction)
    except apsw.Error:
        raise
    except Exception as error:
        waiting.error = error
        transaction.memo = memo
        return transaction.changes == changes
    return True


def _run_alone(connection: apsw.Connection, transaction: SqliteTransaction, waiting: _Waiting) -> None:
    """Run one mutation so that its failure undoes itself alone, its sequence included."""
    memo, committed = dict(transaction.memo), dict(transaction.committed)
    connection.execute("SAVEPOINT mutation")
    if not _run(transaction, waiting):
        connection.execute("ROLLBACK TO mutation")
        transaction.memo, transaction.committed = memo, committed
    connection.execute("RELEASE mutation")


def _translated(error: apsw.Error) -> Exception:
    """What a storage fault means to the caller: the change did not happen."""
    if isinstance(error, apsw.FullError):
        return InsufficientStorage()
    if isinstance(error, apsw.BusyError | apsw.LockedError | apsw.IOError | apsw.CantOpenError):
        return Unavailable()
    return error
