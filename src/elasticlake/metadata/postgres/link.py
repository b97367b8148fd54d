"""One connection in libpq's pipeline mode: statements go out without waiting, replies come in on the event loop.

What stands between two `sync`s succeeds or fails together, unless a transaction is open. A link that breaks stays
broken: everything that waits on it, and every later use, raises `LinkLost`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from elasticlake.metadata.database import Row
from elasticlake.metadata.postgres.encoding import BINARY, Encoded, Loader, Parameter, encoded, loader_of, numbered

CONNECT_SECONDS = 3
NOT_EXECUTED = "25P02"
# Set for every session. A gateway that vanishes holds its locks no longer than the time-outs; plans are made once, from
# indexes alone, so that a fresh table's missing statistics never make one bad (as on SQLite: decision 0005).
_SESSION = """
SET application_name = 'elasticlake';
SET timezone = 'UTC';
SET idle_in_transaction_session_timeout = '5s';
SET lock_timeout = '5s';
SET tcp_user_timeout = '10s';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET jit = off;
SET client_connection_check_interval = '5s';
"""
# I1 does not depend on how the server is set; what waits for standbys as well is left as it is.
_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
"""
_LOSABLE = "SET synchronous_commit = off;"


class LinkLost(Exception):
    """The connection is gone; what was under way may have happened or not."""


class StatementFailed(Exception):
    """The server refused a statement. `code` is its SQLSTATE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(slots=True)
class Reply:
    """What a statement will have brought once the `sync` after it is done."""

    sql: str
    loaders: dict[str, tuple[Loader, ...]]
    preparation: Reply | None = None
    result: PGresult | None = None

    @property
    def failure(self) -> StatementFailed | None:
        """Why the server refused the statement, or None; those after a refused one are not executed (25P02)."""
        result = self.result
        assert result is not None
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return None
        if self.preparation is not None and self.preparation.failure is not None:
            return self.preparation.failure
        if result.status == ExecStatus.PIPELINE_ABORTED:
            return StatementFailed(NOT_EXECUTED, "a statement before it failed")
        code = (result.error_field(DiagnosticField.SQLSTATE) or b"XX000").decode()
        return StatementFailed(code, (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode())

    @property
    def command(self) -> bytes:
        """The command's tag, such as COMMIT."""
        assert self.result is not None
        return self.result.command_status or b""

    def rows(self) -> list[Row]:
        """The rows; raises `StatementFailed`."""
        failure = self.failure
        if failure is not None:
            raise failure
        result = self.result
        assert result is not None
        loaders = self.loaders.get(self.sql)
        if loaders is None:
            loaders = tuple(loader_of(result.ftype(column)) for column in range(result.nfields))
            self.loaders[self.sql] = loaders
        get = result.get_value
        columns = tuple(enumerate(loaders))
        return [
            tuple([load(data) if (data := get(row, column)) is not None else None for column, load in columns])
            for row in range(result.ntuples)
        ]


class Link:
    """A connection, once `open_link` has made it."""

    def __init__(self, connection: psycopg.AsyncConnection[Row], loop: asyncio.AbstractEventLoop) -> None:
        self.lost = False
        self.waiting_since = 0.0
        """When (by the loop's clock) the last reply came, while more are awaited."""
        self._connection = connection
        self._wire = connection.pgconn
        # Kept, because libpq lets go of it by itself when the connection breaks.
        self._socket = self._wire.socket
        self._loop = loop
        self._awaited: deque[Reply | asyncio.Future[None]] = deque()
        self._names: dict[str, bytes] = {}
        self._numbers = itertools.count()
        self._preparing: dict[str, Reply] = {}
        self._loaders: dict[str, tuple[Loader, ...]] = {}
        self._is_writing = False
        self._wire.nonblocking = 1
        self._wire.enter_pipeline_mode()
        loop.add_reader(self._socket, self._on_readable)

    @property
    def backend(self) -> int:
        """The server's process at the other end."""
        return self._wire.backend_pid

    @property
    def is_waiting(self) -> bool:
        return bool(self._awaited)

    def send(self, sql: str, parameters: Sequence[Parameter] = ()) -> Reply:
        """Put the statement on its way; its reply is there once the next `sync` is done."""
        return self.send_encoded(sql, encoded(parameters))

    def send_encoded(self, sql: str, parameters: Encoded) -> Reply:
        """As `send`, for parameters that are bytes already."""
        if self.lost:
            raise LinkLost
        values, formats = parameters
        try:
            name = self._names.get(sql) or self._prepare(sql)
            self._wire.send_query_prepared(name, values, formats, BINARY)
        except psycopg.Error as error:
            self.fail()
            raise LinkLost from error
        reply = Reply(sql, self._loaders, self._preparing.get(sql))
        self._await(reply)
        return reply

    def sync(self) -> asyncio.Future[None]:
        """End a unit: the future is done once every reply up to here is there; raises `LinkLost`."""
        if self.lost:
            raise LinkLost
        done: asyncio.Future[None] = self._loop.create_future()
        self._await(done)
        try:
            self._wire.pipeline_sync()
            self._flush()
        except psycopg.Error:
            self.fail()
        return done

    def end_unit(self) -> None:
        """As `sync`, where nobody waits for the end."""
        self.sync().cancel()

    def look(self) -> None:
        """Take what has come, if anything is awaited."""
        if self._awaited and not self.lost:
            self._on_readable()

    def fail(self) -> None:
        """Give the connection up: whoever waits learns that it is lost."""
        if self.lost:
            return
        self.lost = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._wire.finish()
        awaited, self._awaited = self._awaited, deque()
        for one in awaited:
            if isinstance(one, asyncio.Future) and not one.done():
                one.set_exception(LinkLost())

    def _prepare(self, sql: str) -> bytes:
        name = b"s%d" % next(self._numbers)
        self._wire.send_prepare(name, numbered(sql).encode())
        preparation = Reply(sql, self._loaders)
        self._await(preparation)
        self._names[sql], self._preparing[sql] = name, preparation
        return name

    def _await(self, what: Reply | asyncio.Future[None]) -> None:
        if not self._awaited:
            self.waiting_since = self._loop.time()
        self._awaited.append(what)

    def _flush(self) -> None:
        unsent = self._wire.flush()
        if unsent and not self._is_writing:
            self._is_writing = True
            self._loop.add_writer(self._socket, self._on_writable)
        elif not unsent and self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self._socket)

    def _on_writable(self) -> None:
        try:
            self._flush()
        except psycopg.Error:
            self.fail()

    def _on_readable(self) -> None:
        try:
            self._wire.consume_input()
            while self._awaited and not self._wire.is_busy():
                result = self._wire.get_result()
                if result is not None:
                    self._take(result)
        except psycopg.Error:
            self.fail()

    def _take(self, result: PGresult) -> None:
        self.waiting_since = self._loop.time()
        what = self._awaited.popleft()
        if isinstance(what, Reply):
            what.result = result
            if self._preparing.get(what.sql) is what:
                self._prepared(what)
        elif not what.done():
            what.set_result(None)

    def _prepared(self, preparation: Reply) -> None:
        """From now on its uses need not look whether it failed; after a failure they prepare it anew."""
        del self._preparing[preparation.sql]
        if preparation.failure is not None:
            del self._names[preparation.sql]


async def open_link(conninfo: str, *, durable: bool = True) -> Link:
    """Connect; raises `LinkLost` if the server cannot be reached or refuses. Commits of a link that is not `durable`
    survive everything but a crash of the database server."""
    try:
        connection: psycopg.AsyncConnection[Row] = await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS
        )
        await _set_up(connection, _SESSION + (_DURABLE if durable else _LOSABLE))
    except (psycopg.Error, TimeoutError) as error:
        raise LinkLost(str(error)) from error
    return Link(connection, asyncio.get_running_loop())


async def working_backends(conninfo: str) -> set[int]:
    """The server's processes that are at work on a statement now; none if it cannot be asked."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
                found = await connection.execute("SELECT pid FROM pg_stat_activity WHERE state = 'active'")
                return {pid for (pid,) in await found.fetchall()}
    except (psycopg.Error, TimeoutError):
        return set()


async def _set_up(connection: psycopg.AsyncConnection[Row], settings: str) -> None:
    """A network that is cut just now may never answer. Raises `TimeoutError`, and what psycopg raises."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.execute(settings)
    except BaseException:
        await connection.close()
        raise
