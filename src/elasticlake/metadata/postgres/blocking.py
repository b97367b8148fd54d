"""A connection for what may block: tools, threads, migrations. The same statements, through psycopg's own cursors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote

import psycopg

from elasticlake.errors import Unavailable
from elasticlake.metadata.database import Row, Value
from elasticlake.metadata.postgres.readers import NOW_MS, TIMELINE

T = TypeVar("T")

CONNECT_SECONDS = 5
_CHECKSUM_FAILURES = """
SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0
"""
_INVALID_INDEXES = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname
"""


def connect(conninfo: str) -> psycopg.Connection[Row]:
    """A connection that commits each statement; raises `Unavailable` that says why there is none."""
    try:
        return psycopg.connect(
            conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="elasticlake"
        )
    except psycopg.Error as error:
        reason = without_secrets(" ".join(str(error).split()), conninfo)
        raise Unavailable(f"the metadata database cannot be reached: {reason}") from None


def without_secrets(text: str, conninfo: str) -> str:
    """libpq's words without the password, or pieces of it that libpq took for something else: "@" ends it too early."""
    written = re.search(r"://[^:]*?:(.*)@", conninfo)
    if written is None:
        return text
    pieces = {written[1], unquote(written[1]), *re.split(r"[@/:?#\[\]]", written[1])} - {""}
    for piece in sorted(pieces, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(piece)}(?!\w)", "…", text)
    return text


@contextmanager
def told(what_failed: str) -> Iterator[None]:
    """Raises `Unavailable` instead of the driver's own errors: one line that says what failed, and why."""
    try:
        yield
    except psycopg.Error as error:
        raise Unavailable(f"{what_failed}: {' '.join(str(error).split())}") from error


class BlockingReader:
    """A `Reader` over such a connection."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        self.memo: dict[Any, Any] = {}

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self._connection.execute(marked(sql), parameters, binary=True).fetchall()

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        return self._connection.execute(marked(sql), parameters, binary=True).fetchone()

    def hold(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        """A read locks nothing."""

    def timeline(self) -> str:
        return str(self.rows(TIMELINE)[0][0])

    def now_ms(self) -> int:
        return int(self.rows(NOW_MS)[0][0])

    def faults(self) -> list[str]:
        """What PostgreSQL has noticed of its files: pages whose checksum failed, indexes that were never finished."""
        found = [f"{count} pages failed their checksum" for (count,) in self.rows(_CHECKSUM_FAILURES)]
        return found + [f"the index {name} is not valid: REINDEX it" for (name,) in self.rows(_INVALID_INDEXES)]


def marked(sql: str) -> bytes:
    """The statement with psycopg's `%s` for its `?`s."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


class Reconnecting:
    """One connection for one thread at a time, made anew when it broke."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.Connection[Row] | None = None

    def run(self, work: Callable[[psycopg.Connection[Row]], T], may_repeat: Callable[[], bool] = lambda: True) -> T:
        """Run `work`; once more on a fresh connection if the kept one turns out to be dead and `may_repeat` then says
        so. Raises `Unavailable`."""
        for is_last in (False, True):
            connection = self._connection or connect(self._conninfo)
            self._connection = connection
            try:
                return work(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self.close()
                if is_last or not may_repeat():
                    raise Unavailable from error
        raise AssertionError

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
