"""The links of one database: made when wanted, kept, given up when they break or fall silent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from elasticlake.metadata.postgres.link import Link, LinkLost, open_link, working_backends

SILENT_SECONDS = 8.0
"""A reply that takes longer never comes: the network is cut, or the server hangs."""
ASK_SECONDS = 4.0
"""Where one statement may change millions of rows, the server is asked after so long whether it is still at work."""
WATCH_SECONDS = 0.5
PAUSE_SECONDS = 0.2
"""After a connection failed, for so long nobody else tries: a server that is away is not flooded."""


class Links:
    """At most `size` connections for one use at a time each; one whose reply does not come is given up: at once, or
    (`patient`) when the server, asked over a connection of its own, is not at work on it."""

    def __init__(self, conninfo: str, size: int, *, durable: bool = True, patient: bool = False) -> None:
        self._conninfo = conninfo
        self._size = size
        self._durable = durable
        self._patient = patient
        self._idle: list[Link] = []
        self._made: set[Link] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[bool]] = deque()
        """Each is told whether it may look for a link."""
        self._failed_at = float("-inf")
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Link]:
        """A link for this use alone, between transactions; raises `LinkLost` if there is none to be had."""
        link = await self.take()
        try:
            yield link
        finally:
            self.give_back(link)

    async def take(self) -> Link:
        """A link of one's own until it is given back; raises `LinkLost`."""
        while True:
            while self._idle:
                link = self._idle.pop()
                if not link.lost:
                    return link
                self._made.discard(link)
            if len(self._made) + self._opening < self._size:
                return await self._open()
            await self._turn()

    def give_back(self, link: Link) -> None:
        """The use is over. With a lost link all idle ones go: whatever broke it has mostly broken them as well."""
        if link.lost:
            self._give_up(link, *self._idle)
        elif self._closed:
            link.fail()
        else:
            self._idle.append(link)
        self._next()

    def close(self) -> None:
        """Let go of every connection."""
        self._closed = True
        if self._watching is not None:
            self._watching.cancel()
        self._give_up(*self._made)
        self._next()

    def _give_up(self, *links: Link) -> None:
        for link in links:
            link.fail()
        self._made.difference_update(links)
        self._idle = [link for link in self._idle if not link.lost]

    async def _open(self) -> Link:
        loop = asyncio.get_running_loop()
        if self._closed:
            self._next()
            raise LinkLost("the database was closed")
        if self._watching is None:
            self._watching = loop.create_task(self._watch())
        if loop.time() - self._failed_at < PAUSE_SECONDS:
            self._next()
            raise LinkLost("the database could not be reached a moment ago")
        self._opening += 1
        try:
            link = await open_link(self._conninfo, durable=self._durable)
        except LinkLost:
            self._failed_at = loop.time()
            self._refuse()
            raise
        finally:
            self._opening -= 1
            self._next()
        if self._closed:
            link.fail()
            raise LinkLost("the database was closed")
        self._made.add(link)
        return link

    async def _turn(self) -> None:
        """Wait until a link may be had; raises `LinkLost` if none can."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            is_ours = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # It was ours already: somebody else takes it.
                self._next()
            raise
        if not is_ours:
            raise LinkLost("the database cannot be reached")

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(True)
                return

    def _refuse(self) -> None:
        """Tell everybody who waits now: one after the other they would find out by themselves, and each later."""
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(False)
        self._waiting.clear()

    async def _watch(self) -> None:
        """Give up links whose replies do not come."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for link in self._made:
                # After a stall of our own, replies may be here that nobody has looked at.
                link.look()
            now = asyncio.get_running_loop().time()
            silent = self._silent(now - (ASK_SECONDS if self._patient else SILENT_SECONDS))
            if silent and self._patient:
                silent = await self._idle_at_the_server(silent, now)
            if silent:
                # Whoever tried an idle one next, or a new one at once, would have to wait as long again. Asking the
                # server may have taken seconds: the pause is from here on.
                self._failed_at = asyncio.get_running_loop().time()
                self._give_up(*silent, *self._idle)
                self._refuse()
            self._made = {link for link in self._made if not link.lost}

    def _silent(self, since: float) -> list[Link]:
        return [link for link in self._made if link.is_waiting and link.waiting_since < since]

    async def _idle_at_the_server(self, silent: list[Link], now: float) -> list[Link]:
        """Those of the links on whose statements the server does not work; the others may wait as long again."""
        at_work = await working_backends(self._conninfo)
        for link in silent:
            if link.backend in at_work:
                link.waiting_since = now
        return [link for link in silent if link.backend not in at_work]
