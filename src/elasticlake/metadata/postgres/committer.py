"""Group commit: what waits becomes one transaction, and while that commits the next gathers.

Several groups commit at once on links of their own, so that a bucket that another node holds keeps nobody waiting who
does not want it. Two groups of this node never want the same bucket: the second would only wait in the database.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from elasticlake.errors import OutcomeUnknown
from elasticlake.metadata.database import Committed, Touching, Transaction
from elasticlake.metadata.postgres import greens
from elasticlake.metadata.postgres.ahead import begin
from elasticlake.metadata.postgres.faults import LOST_TRIES, is_lost, leaves_unknown, translated, tries_of
from elasticlake.metadata.postgres.link import LinkLost, StatementFailed
from elasticlake.metadata.postgres.links import Links
from elasticlake.metadata.postgres.transaction import PostgresTransaction

MAX_GROUP = 64
GROUPS_AT_ONCE = 4
PAUSE_SECONDS = 0.01
"""Before the second try; doubled before each further one."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A mutation, and who waits for it."""

    mutation: Callable[[Transaction], Any]
    touching: Touching | None
    long: bool
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def end(self) -> None:
        """Tell whoever waits."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)

    @property
    def bucket(self) -> str | None:
        return self.touching.bucket if self.touching is not None else None


class Committer:
    """Runs mutations in groups over links."""

    def __init__(self, links: Links, committed: Callable[[Committed, bool], None]) -> None:
        """`committed` is told of each group: what it added to logs, and whether one that ran alone was among it."""
        self._links = links
        self._committed = committed
        self._waiting: list[Waiting] = []
        self._ids: dict[str, list[int]] = {}
        self._busy: set[str] = set()
        self._is_alone_running = False
        self._groups: set[asyncio.Task[None]] = set()
        self._starting = False
        self._chance = random.Random()
        self.observer: Callable[[int, float], None] = lambda mutations, seconds: None

    def submit(self, waiting: Waiting) -> None:
        """Take the mutation; its future has the outcome."""
        self._waiting.append(waiting)
        self._start_soon()

    async def finish(self) -> None:
        """Commit everything that waits."""
        while self._waiting or self._groups:
            self._start_groups()
            if self._groups:
                await asyncio.wait(self._groups)

    def _start_soon(self) -> None:
        if not self._starting:
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start_groups)

    def _start_groups(self) -> None:
        self._starting = False
        while self._waiting and len(self._groups) < GROUPS_AT_ONCE and (group := self._next_group()):
            self._claim(group)
            task = asyncio.get_running_loop().create_task(self._commit(group))
            self._groups.add(task)
            task.add_done_callback(lambda task, group=group: self._ended(task, group))  # type: ignore[misc]

    def _next_group(self) -> list[Waiting]:
        """Those that wait and whose buckets are free, in order; a long one is a group of its own."""
        group: list[Waiting] = []
        passed_over: set[str] = set()
        for waiting in self._waiting:
            name = waiting.bucket
            is_blocked = name in self._busy or (waiting.touching is None and self._is_alone_running)
            if is_blocked or name in passed_over or (waiting.long and group):
                if name is not None:
                    passed_over.add(name)
                continue
            group.append(waiting)
            if waiting.long or len(group) == MAX_GROUP:
                break
        return group

    def _claim(self, group: list[Waiting]) -> None:
        chosen = set(map(id, group))
        self._waiting = [waiting for waiting in self._waiting if id(waiting) not in chosen]
        self._busy.update(_names(group))
        self._is_alone_running = self._is_alone_running or _has_alone(group)

    def _ended(self, task: asyncio.Task[None], group: list[Waiting]) -> None:
        self._groups.discard(task)
        self._busy.difference_update(_names(group))
        if _has_alone(group):
            self._is_alone_running = False
        self._start_groups()

    async def _commit(self, group: list[Waiting]) -> None:
        tx: PostgresTransaction | None = None
        try:
            tx = await self._commit_or_fail(group)
        except Exception as error:
            if len(group) > 1 and not (is_lost(error) or isinstance(error, OutcomeUnknown)):
                # One of them is to blame, and only that one is to fail.
                for waiting in group:
                    await self._commit([waiting])
                return
            for waiting in group:
                waiting.error = translated(error)
        for waiting in group:
            waiting.end()
        if tx is not None:
            self._committed(tx.committed, _has_alone(group) and tx.changes > 0)

    async def _commit_or_fail(self, group: list[Waiting]) -> PostgresTransaction:
        """Commit, trying again what may succeed; raises when nothing was committed, and `OutcomeUnknown` when
        nobody knows."""
        began_at = time.perf_counter()
        tries = 0
        while True:
            tries += 1
            link = await self._links.take()
            tx = PostgresTransaction(link, self._ids, long=group[0].long)
            try:
                await greens.run(lambda tx=tx: _run(tx, group))  # type: ignore[misc]
            except Exception as error:
                self._give_up(tx, error)
                if tx.is_committing and leaves_unknown(error):
                    raise OutcomeUnknown from error
                most = (1 if tx.is_committing else LOST_TRIES) if is_lost(error) else tries_of(error)
                if tries >= most:
                    raise
            else:
                self.observer(len(group), time.perf_counter() - began_at)
                return tx
            finally:
                self._links.give_back(link)
            pause_seconds = PAUSE_SECONDS * 2 ** (tries - 1)
            await asyncio.sleep(pause_seconds * self._chance.uniform(0.5, 1.5))

    def _give_up(self, tx: PostgresTransaction, error: Exception) -> None:
        if is_lost(error):
            tx.link.fail()
            # A crash of the server may have taken back the sequence that they came from.
            self._ids.clear()
            return
        try:
            tx.roll_back()
        except LinkLost:
            return


def _run(tx: PostgresTransaction, group: list[Waiting]) -> None:
    """Run and commit the mutations; one that fails undoes itself alone, its sequence included."""
    begin(tx, [waiting.touching for waiting in group])
    for waiting in group:
        memo, committed = dict(tx.memo), dict(tx.committed)
        waiting.error = None
        tx.begin_mutation()
        try:
            waiting.result = waiting.mutation(tx)
        except (StatementFailed, LinkLost):
            raise
        except Exception as error:
            waiting.error = error
            tx.memo, tx.committed = memo, committed
            tx.undo_mutation()
    tx.commit()


def _names(group: Iterable[Waiting]) -> set[str]:
    return {waiting.bucket for waiting in group if waiting.bucket is not None}


def _has_alone(group: Iterable[Waiting]) -> bool:
    return any(waiting.touching is None for waiting in group)
