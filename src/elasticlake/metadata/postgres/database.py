"""A `Database` on PostgreSQL, for the event loop that uses it.

Reads and writes never block the loop; statements that wait together travel together. Invariants: I1 (a commit returns
after its flush, `synchronous_commit=on`), I2, and I3 (see `ahead`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from elasticlake.metadata.database import ALONE, Committed, Reader, Touching, Transaction
from elasticlake.metadata.postgres import greens
from elasticlake.metadata.postgres.aside import Aside
from elasticlake.metadata.postgres.committer import GROUPS_AT_ONCE, Committer, Waiting
from elasticlake.metadata.postgres.faults import is_lost, translated
from elasticlake.metadata.postgres.link import Link
from elasticlake.metadata.postgres.links import Links
from elasticlake.metadata.postgres.readers import LooseReader, SnapshotReader
from elasticlake.metadata.postgres.sharing import SharedLink

T = TypeVar("T")

SNAPSHOTS_AT_ONCE = 4
LONG_AT_ONCE = 2
RECENT_SECONDS = 0.5
"""How long what loose reads hand on to each other is kept."""


class PostgresDatabase:
    """A `Database` at `conninfo`, a `postgresql://` URL whose schema is the newest."""

    def __init__(self, conninfo: str, *, durable: bool = True) -> None:
        self._reading = Links(conninfo, SNAPSHOTS_AT_ONCE + 1)
        self._writing = Links(conninfo, GROUPS_AT_ONCE, durable=durable)
        self._shared = SharedLink(self._reading)
        self._committer = Committer(self._writing, self._tell)
        self._aside = Aside(lambda: Links(conninfo, LONG_AT_ONCE, durable=durable, patient=True), self._tell)
        self._others: list[Callable[[], None]] = []
        self._listeners: list[Callable[[Committed], None]] = []
        self._recent: dict[Any, Any] = {}
        self._recent_since = float("-inf")

    async def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> T:
        """A link that turns out to be dead is replaced, once: after a restart of the server none else is left."""
        for is_last in (False, True):
            try:
                return await (self._read_loosely(query) if loose else self._read_snapshot(query))
            except Exception as error:
                if not is_last and is_lost(error):
                    continue
                meant = translated(error)
                if meant is error:
                    raise
                raise meant from error
        raise AssertionError

    async def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        waiting = Waiting(mutation, touching, long, future)
        if long:
            await self._aside.commit(waiting)
        else:
            self._committer.submit(waiting)
        return await future

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def on_other_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after what other nodes may hold in memory (keys, buckets, webhooks) was changed here."""
        self._others.append(listener)

    def observe(self, observer: Callable[[int, float], None]) -> None:
        self._committer.observer = observer

    def forget_recent(self) -> None:
        """Another node changed what loose reads may still hold."""
        # A new one, so that a read under way does not put what it saw before into it.
        self._recent = {}
        self._recent_since = asyncio.get_running_loop().time()

    async def close(self) -> None:
        await self._aside.close()
        await self._committer.finish()
        self._reading.close()
        self._writing.close()

    async def _read_loosely(self, query: Callable[[Reader], T]) -> T:
        if asyncio.get_running_loop().time() - self._recent_since > RECENT_SECONDS:
            self.forget_recent()
        reader = LooseReader(self._shared, self._recent)
        return await greens.run(lambda: query(reader))

    async def _read_snapshot(self, query: Callable[[Reader], T]) -> T:
        async with self._reading.one() as link:
            return await _on_snapshot(link, query)

    def _tell(self, committed: Committed, was_alone: bool) -> None:
        if was_alone:
            self.forget_recent()
            for other in self._others:
                other()
        if committed:
            for listener in self._listeners:
                listener(committed)


async def _on_snapshot(link: Link, query: Callable[[Reader], T]) -> T:
    reader = SnapshotReader(link)
    try:
        return await greens.run(lambda: query(reader))
    except Exception as error:
        if is_lost(error):
            link.fail()
        raise
    finally:
        reader.end()
