"""The embedded engine: one SQLite file in WAL mode, read inline on the event loop, written in groups.

A read costs microseconds, less than handing it to a thread would. A commit costs an fsync; so all mutations that wait
are one transaction (group commit), and while its fsync runs in a thread the next group gathers. The mutations
themselves run on the event loop: in a thread, each statement would hand the interpreter over twice, which cost half of
the PUTs per second.

Invariants: I1 (`synchronous=FULL`: a commit returns after its fsync), I2, and I3 (a single writer, so sequences are in
commit order).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw

from elasticlake.errors import InsufficientStorage, Unavailable
from elasticlake.metadata.checkpointer import Checkpointer
from elasticlake.metadata.database import ALONE, Committed, Reader, Touching, Transaction
from elasticlake.metadata.sqlite import SMALL_CACHE_BYTES, SqliteReader, SqliteTransaction, connect, wait_for_locks

T = TypeVar("T")

MAX_GROUP = 128
# What fails one statement and leaves the transaction as it was before it: its mutation's own fault, nobody else's.
_STATEMENT_FAULTS = (apsw.ConstraintError, apsw.MismatchError, apsw.RangeError, apsw.SQLError, apsw.TooBigError)


@dataclass(slots=True)
class _Waiting:
    """A mutation, and who waits for it."""

    mutation: Callable[[Transaction], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase:
    """A `Database` in one SQLite file, for the event loop that uses it."""

    def __init__(
        self, path: Path, *, durable: bool = True, cache_bytes: int = SMALL_CACHE_BYTES, vfs: str | None = None
    ) -> None:
        self._writer = connect(path, durable=durable, cache_bytes=cache_bytes, vfs=vfs)
        self._reader_connection = connect(path, durable=durable, cache_bytes=cache_bytes, vfs=vfs)
        self._reader = SqliteReader(self._reader_connection)
        self._checkpointer = Checkpointer(path, self._writer, durable=durable, vfs=vfs)
        self._snapshot_ends: asyncio.Handle | None = None
        self._listeners: list[Callable[[Committed], None]] = []
        self._observer: Callable[[int, float], None] = _ignore
        self._group_began_at = 0.0
        self._waiting: list[_Waiting] = []
        self._long: deque[_Waiting] = deque()
        self._long_was_last = False
        self._writing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"commit {path.name}", daemon=True)
        self._thread.start()

    # Reading.

    async def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> T:
        """One snapshot serves all reads of a turn of the event loop: beginning one costs more than a point read.

        It ends before anything that the next poll brings in is handled, so whoever was told of a commit reads it.
        """
        if self._snapshot_ends is None:
            self._reader_connection.execute("BEGIN")
            self._snapshot_ends = asyncio.get_running_loop().call_soon(self._end_snapshot)
        try:
            return query(self._reader)
        except apsw.Error as error:
            translated = _translated(error)
            if translated is error:
                raise
            raise translated from error

    def _end_snapshot(self) -> None:
        if self._snapshot_ends is not None:
            self._snapshot_ends.cancel()
            self._snapshot_ends = None
            self._reader.memo.clear()
            # A fault of the disk has ended it already.
            if self._reader_connection.in_transaction:
                self._reader_connection.execute("COMMIT")

    # Writing.

    async def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        (self._long if long else self._waiting).append(_Waiting(mutation, future))
        if not self._writing:
            self._writing = True
            self._idle.clear()
            loop.call_soon(self._next_group, loop)
        return await future

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def observe(self, observer: Callable[[int, float], None]) -> None:
        self._observer = observer

    async def close(self) -> None:
        await self._idle.wait()
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._checkpointer.close)
        self._end_snapshot()
        self._reader_connection.close()
        self._writer.close()

    def _next_group(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin a group of everything that waits; a long mutation is a group of its own, wholly in the thread.

        They take turns, so that neither a stream of long mutations nor one of short ones holds up the other for more
        than a group.
        """
        self._group_began_at = time.perf_counter()
        self._long_was_last = bool(self._long) and not (self._long_was_last and self._waiting)
        if self._long_was_last:
            group = [self._long.popleft()]
            self._jobs.put(lambda: self._report(loop, group, self._commit(group)))
            return
        group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
        transaction = self._run_here(group)
        if transaction is None:
            self._jobs.put(lambda: self._report(loop, group, self._commit(group)))
        else:
            self._jobs.put(lambda: self._report(loop, group, self._finish(group, transaction)))

    def _run_here(self, group: list[_Waiting]) -> SqliteTransaction | None:
        """Run the group's statements on the event loop, ready to be committed.

        Most failures (a condition that does not hold) come before the first change and undo nothing, so savepoints are
        paid for only when they are needed. None says that the thread must do it all: a mutation failed half-way, or
        another process is writing and the lock must be waited for.
        """
        connection = self._writer
        try:
            connection.set_busy_timeout(0)
            connection.execute("BEGIN IMMEDIATE")
        except apsw.Error:
            return None
        try:
            transaction = SqliteTransaction(connection)
            if all(_run(transaction, waiting) for waiting in group):
                transaction.finish()
                return transaction
        except Exception:
            # The thread runs into it again, and reports it.
            pass
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return None

    def _finish(self, group: list[_Waiting], transaction: SqliteTransaction) -> Committed:
        try:
            self._writer.execute("COMMIT")
        except apsw.Error as error:
            return self._fail(group, error)
        return transaction.committed

    def _commit(self, group: list[_Waiting]) -> Committed:
        """Run and commit the group in this thread; a mutation that fails undoes itself alone."""
        connection = self._writer
        try:
            wait_for_locks(connection)
            connection.execute("BEGIN IMMEDIATE")
            transaction = SqliteTransaction(connection)
            for waiting in group:
                _run_alone(connection, transaction, waiting)
            transaction.finish()
            connection.execute("COMMIT")
        except Exception as error:
            return self._fail(group, error)
        return transaction.committed

    def _fail(self, group: list[_Waiting], error: Exception) -> Committed:
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")
        for waiting in group:
            waiting.error = _translated(error)
        return {}

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _report(self, loop: asyncio.AbstractEventLoop, group: list[_Waiting], committed: Committed) -> None:
        try:
            loop.call_soon_threadsafe(self._resolve, loop, group, committed)
        except RuntimeError:
            # The loop was closed while its mutations were being committed: nobody waits any more.
            return

    def _resolve(self, loop: asyncio.AbstractEventLoop, group: list[_Waiting], committed: Committed) -> None:
        self._end_snapshot()
        self._observer(len(group), time.perf_counter() - self._group_began_at)
        if self._waiting or self._long:
            self._next_group(loop)
        else:
            self._writing = False
            self._idle.set()
        for waiting in group:
            if waiting.future.done():
                continue
            if waiting.error is None:
                waiting.future.set_result(waiting.result)
            else:
                waiting.future.set_exception(waiting.error)
        if committed:
            for listener in self._listeners:
                listener(committed)


def _ignore(mutations: int, seconds: float) -> None:
    """Nobody observes."""


def _run(transaction: SqliteTransaction, waiting: _Waiting) -> bool:
    """Run one mutation; False if it failed after it had changed something."""
    changes = transaction.changes
    waiting.error = None
    memo, committed = dict(transaction.memo), dict(transaction.committed)
    try:
        waiting.result = waiting.mutation(transaction)
    except Exception as error:
        if isinstance(error, apsw.Error) and not isinstance(error, _STATEMENT_FAULTS):
            raise
        waiting.error = error
        transaction.memo, transaction.committed = memo, committed
        return transaction.changes == changes
    return True


def _run_alone(connection: apsw.Connection, transaction: SqliteTransaction, waiting: _Waiting) -> None:
    """Run one mutation so that its failure undoes itself alone, its sequence included."""
    connection.execute("SAVEPOINT mutation")
    if not _run(transaction, waiting):
        connection.execute("ROLLBACK TO mutation")
    connection.execute("RELEASE mutation")


def _translated(error: Exception) -> Exception:
    """What a storage fault means to the caller: a change did not happen, a read may be tried again."""
    if isinstance(error, apsw.FullError):
        return InsufficientStorage()
    if isinstance(error, apsw.BusyError | apsw.LockedError | apsw.IOError | apsw.CantOpenError):
        return Unavailable()
    return error
