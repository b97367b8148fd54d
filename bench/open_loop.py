"""Open-loop load: requests start at a fixed rate, whether or not the server keeps up.

A closed loop would slow down with the server and so hide its worst moments (coordinated omission).
A client that waits for the processor would add moments of its own: this one asks for short turns, as a gateway does.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from time import perf_counter

from bench.client import Connection, Request
from bench.closed_loop import GRACE_SECONDS, Source, run_on_uvloop
from bench.stats import Tally
from bench.target import Target
from elasticlake.server.tuning import ask_for_short_turns

# Sends less often than this are woken for one by one; faster ones go out in the bursts that fell due meanwhile.
TICK_SECONDS = 0.001
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Ack:
    """When a request was written and when its answer had been read, on the system-wide monotonic clock."""

    sent_at: float
    answered_at: float


class OpenLoop:
    """Starts `rate` requests a second over a pool of connections; waits in line when all are busy."""

    def __init__(
        self, target: Target, source: Source, rate: float, seconds: float, connections: int = CONNECTIONS
    ) -> None:
        self._target, self._source, self._rate, self._seconds = target, source, rate, seconds
        self._size = connections
        self._idle: deque[Connection] = deque()
        self._waiting: deque[Request] = deque()
        self._outstanding = 0
        self._all_sent = False
        self._finished = asyncio.Event()
        self.acks: dict[str, Ack] = {}
        self.tally = Tally()

    async def run(self) -> None:
        """Send everything and wait for the answers."""
        loop, tls = asyncio.get_running_loop(), self._target.tls_context()
        for _ in range(self._size):
            _, connection = await loop.create_connection(
                lambda: Connection(self._answered, self._lost), self._target.host, self._target.port, ssl=tls
            )
            self._idle.append(connection)
        start = perf_counter()
        await self._send_all(start, round(self._rate * self._seconds))
        self._all_sent = True
        if self._outstanding:
            try:
                await asyncio.wait_for(self._finished.wait(), GRACE_SECONDS)
            except TimeoutError:
                self.tally.errors["timeout"] += self._outstanding
        self.tally.elapsed_seconds = perf_counter() - start
        for connection in self._idle:
            connection.close()

    async def _send_all(self, start: float, count: int) -> None:
        sent = 0
        while sent < count:
            due = min(count, int((perf_counter() - start) * self._rate) + 1)
            for _ in range(due - sent):
                self._start_one()
            sent = due
            await asyncio.sleep(max(TICK_SECONDS, start + sent / self._rate - perf_counter()))

    def _start_one(self) -> None:
        request = self._source.next()
        if request is None:
            return
        self._outstanding += 1
        if self._idle:
            self._idle.popleft().send(request)
        else:
            self._waiting.append(request)

    def _answered(self, connection: Connection, request: Request) -> None:
        now, failure = perf_counter(), connection.failure(request)
        if failure:
            self.tally.failed(f"{request.operation} {failure}")
        else:
            self.acks[request.key] = Ack(connection.sent_at, now)
            self.tally.succeeded(now - connection.sent_at, len(request.body))
        self._source.done(request, not failure)
        self._outstanding -= 1
        if connection.reusable and self._waiting:
            connection.send(self._waiting.popleft())
        elif connection.reusable:
            self._idle.append(connection)
        if self._all_sent and not self._outstanding:
            self._finished.set()

    def _lost(self, connection: Connection, request: Request | None) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        if request is None:
            return
        self.tally.failed(f"{request.operation} connection lost")
        self._source.done(request, False)
        self._outstanding -= 1
        if self._all_sent and not self._outstanding:
            self._finished.set()


def run_open(target: Target, source: Source, rate: float, seconds: float) -> OpenLoop:
    """Drive `source` at `rate` per second; the returned loop holds the acks by key and the tally."""

    async def run() -> OpenLoop:
        loop = OpenLoop(target, source, rate, seconds)
        await loop.run()
        return loop

    ask_for_short_turns()
    try:
        return run_on_uvloop(run())
    finally:
        ask_for_short_turns(0)
