"""SQLite as this project uses it: connections, and the reader and the transaction over one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw

from elasticlake.metadata.database import Committed, Row, Transaction, Value

PAGE_SIZE_BYTES = 4096
BUSY_SECONDS = 10.0
# A checkpoint copies the log's pages into the database and fsyncs both. 8,000 (32 MiB) are often enough that the log
# stays small; `checkpointer` makes it in steps.
CHECKPOINT_PAGES = 8000
# Each connection has a page cache of its own. Writers of 32 clients gain a tenth by the large one (`bench --only put`);
# whoever reads or appends in order gains nothing, as the system's cache is behind it.
CACHE_BYTES = 32 << 20
SMALL_CACHE_BYTES = 4 << 20


def connect(
    path: Path,
    *,
    durable: bool = True,
    readonly: bool = False,
    cache_bytes: int = SMALL_CACHE_BYTES,
    vfs: str | None = None,
) -> apsw.Connection:
    """A connection set up as this engine needs it. `durable=False` survives a crash of the process, not of the
    machine."""
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=200)
    wait_for_locks(connection)
    # Without it SQLite plans a join anew whenever its parameters change, which triples what a point read costs.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    if not readonly:
        connection.execute(f"PRAGMA page_size={PAGE_SIZE_BYTES}")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size=-{cache_bytes >> 10}")
    connection.execute("PRAGMA foreign_keys=OFF")
    return connection


def wait_for_locks(connection: apsw.Connection) -> None:
    """Wait while another connection writes. SQLite's own handler sleeps up to 100 ms at a time; a commit takes one, so
    this looks again much sooner."""
    started = 0.0

    def wait(earlier_calls: int) -> bool:
        nonlocal started
        if earlier_calls == 0:
            started = time.monotonic()
        time.sleep(0.0005)
        return time.monotonic() - started < BUSY_SECONDS

    connection.set_busy_handler(wait)


class SqliteReader:
    """A `Reader` over one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute
        self.memo: dict[Any, Any] = {}

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self._execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        cursor = self._execute(sql, parameters)
        first = cursor.fetchone()
        cursor.close()
        return first

    def hold(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        """There is one writer, and it holds everything."""

    def timeline(self) -> str:
        """A file goes back only while nobody uses it."""
        return ""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def faults(self) -> list[str]:
        """What SQLite finds wrong with its file; the first of them."""
        return [finding for (finding,) in self.rows("PRAGMA integrity_check(20)") if finding != "ok"]


class SqliteTransaction(SqliteReader):
    """A `Transaction` over the writer's connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.committed: Committed = {}
        self.changes = 0
        self._last_ids: dict[str, int] = {}
        self._actions: dict[str, Callable[[Transaction], None]] = {}

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        self.changes += 1
        self._execute(sql, parameters)

    def changing(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        self.changes += 1
        return self._execute(sql, parameters).fetchall()

    def new_id(self, table: str) -> int:
        """The table's next, asked for once: nobody else inserts before the commit, and RETURNING costs more."""
        if table not in self._last_ids:
            self._last_ids[table] = self.rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0]
        self._last_ids[table] += 1
        return self._last_ids[table]

    def before_commit(self, name: str, action: Callable[[Transaction], None]) -> None:
        self._actions[name] = action

    def finish(self) -> None:
        for action in self._actions.values():
            action(self)
