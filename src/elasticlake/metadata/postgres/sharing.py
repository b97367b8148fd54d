"""One link for the single statements of many requests: those of one turn of the event loop travel together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from elasticlake.metadata.postgres.encoding import Parameter
from elasticlake.metadata.postgres.faults import is_lost
from elasticlake.metadata.postgres.link import NOT_EXECUTED, Link, LinkLost, Reply
from elasticlake.metadata.postgres.links import Links

_Waiting = tuple[str, Sequence[Parameter], asyncio.Future[Reply]]


class SharedLink:
    """Sends statements outside any transaction; each sees what is committed when it runs."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._link: Link | None = None
        self._waiting: list[_Waiting] = []
        self._sending: set[asyncio.Task[None]] = set()

    def fetch(self, sql: str, parameters: Sequence[Parameter]) -> asyncio.Future[Reply]:
        """The statement's reply, once it is there; raises `LinkLost`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append((sql, parameters, future))
        if len(self._waiting) == 1:
            # At the end of this turn, so that whoever else asks in it comes along.
            loop.call_soon(self._start)
        return future

    def _start(self) -> None:
        task = asyncio.get_running_loop().create_task(self._send())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self) -> None:
        batch, self._waiting = self._waiting, []
        while batch:
            batch = await self._exchange(batch)

    async def _exchange(self, batch: list[_Waiting]) -> list[_Waiting]:
        """Send the batch; returns those behind a refused statement, which the server did not execute."""
        try:
            link = await self._ready()
            sent = [(one, _sent(link, one)) for one in batch]
            await link.sync()
        except Exception as error:
            # Each gets an error of its own: whoever raises it adds a traceback to it.
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(LinkLost(str(error)) if isinstance(error, LinkLost) else error)
            return []
        again = []
        for one, reply in sent:
            future = one[2]
            if future.done() or reply is None:
                continue
            failure = reply.failure
            if failure is not None and failure.code == NOT_EXECUTED:
                again.append(one)
                continue
            if failure is not None and is_lost(failure):
                link.fail()
            future.set_result(reply)
        return again

    async def _ready(self) -> Link:
        if self._link is None or self._link.lost:
            if self._link is not None:
                self._links.give_back(self._link)
                self._link = None
            link = await self._links.take()
            if self._link is None:
                self._link = link
            else:
                self._links.give_back(link)
        return self._link


def _sent(link: Link, one: _Waiting) -> Reply | None:
    """The statement's reply to come; None if its parameters cannot be sent, which its sender learns."""
    sql, parameters, future = one
    try:
        return link.send(sql, parameters)
    except LinkLost:
        raise
    except Exception as error:
        if not future.done():
            future.set_exception(error)
        return None
