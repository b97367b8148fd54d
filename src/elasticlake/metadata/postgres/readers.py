"""`Reader`s over a link: a loose one, whose statements travel with everybody's, and a snapshot of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from elasticlake.metadata.database import Row, Value
from elasticlake.metadata.postgres.greens import wait
from elasticlake.metadata.postgres.link import Link
from elasticlake.metadata.postgres.sharing import SharedLink

# The first eight digits of a log file's name are the timeline that it belongs to.
TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
NOW_MS = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)"
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_COMMIT = "COMMIT"


class _Reading(Protocol):
    """What follows from `rows`."""

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]: ...

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def hold(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        """A read locks nothing."""
        return None

    def timeline(self) -> str:
        return str(self.rows(TIMELINE)[0][0])

    def now_ms(self) -> int:
        return int(self.rows(NOW_MS)[0][0])


class LooseReader(_Reading):
    """Each statement sees what is committed when it runs. `memo` is the node's, and short-lived."""

    def __init__(self, shared: SharedLink, memo: dict[Any, Any]) -> None:
        self._shared = shared
        self.memo = memo

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return wait(self._shared.fetch(sql, parameters)).rows()


class SnapshotReader(_Reading):
    """Every statement sees the moment of the first."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._begun = False
        self.memo: dict[Any, Any] = {}

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        if not self._begun:
            self._link.send(_BEGIN)
            self._begun = True
        reply = self._link.send(sql, parameters)
        wait(self._link.sync())
        return reply.rows()

    def end(self) -> None:
        """Let the snapshot go. Nobody waits for that: the link's next use comes after it."""
        if self._begun and not self._link.lost:
            self._link.send(_COMMIT)
            self._link.end_unit()
