"""A database that is away for as long as a test likes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from elasticlake.errors import Unavailable
from elasticlake.metadata.database import ALONE, Committed, Database, Reader, Touching, Transaction

T = TypeVar("T")


class Faulty:
    """The database, which refuses while `is_away`, and counts what it refused."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_away = True
        self.refusals = 0

    async def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> T:
        self._refuse()
        return await self._database.read(query, loose=loose)

    async def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> T:
        self._refuse()
        return await self._database.write(mutation, touching=touching, long=long)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()

    def _refuse(self) -> None:
        if self.is_away:
            self.refusals += 1
            raise Unavailable
