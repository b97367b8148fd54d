"""Closed-loop load: each connection sends its next request as soon as the last one is answered."""

import asyncio
import resource
from collections.abc import Coroutine
from time import perf_counter
from typing import Any, Protocol, TypeVar

import uvloop

from bench.client import Connection, Request
from bench.stats import Tally
from bench.target import Target

GRACE_SECONDS = 60.0
RECONNECTS_ALLOWED = 100
T = TypeVar("T")


class Source(Protocol):
    """Where requests come from. Told how each ended, so that it knows which keys exist."""

    def next(self) -> Request | None:
        """The next request; None when there is no more work."""

    def done(self, request: Request, succeeded: bool) -> None:
        """The request has been answered, or lost."""


class ClosedLoop:
    """Drives a source over N connections until the time is up or the source is empty."""

    def __init__(self, target: Target, source: Source, connections: int, seconds: float) -> None:
        self._target, self._source, self._size = target, source, connections
        self._seconds = seconds
        self._open: set[Connection] = set()
        self._openings: set[asyncio.Task[None]] = set()
        self._connect_failures = 0
        self._idle_out = asyncio.Event()
        self._running = 0
        self._deadline = 0.0
        self._last_answer = 0.0
        self.tally = Tally()

    async def run(self) -> Tally:
        """Run to the end. What a hanging server never answers is counted as `timeout`."""
        tls = self._target.tls_context()
        for _ in range(self._size):
            await self._connect(tls)
        cpu, start = _cpu_seconds(), perf_counter()
        self._deadline, self._last_answer, self._running = start + self._seconds, start, len(self._open)
        for connection in tuple(self._open):
            self._advance(connection)
        try:
            await asyncio.wait_for(self._idle_out.wait(), self._seconds + GRACE_SECONDS)
        except TimeoutError:
            self._give_up()
        self.tally.elapsed_seconds = self._last_answer - start
        self.tally.client_cpu_seconds = _cpu_seconds() - cpu
        for connection in tuple(self._open):
            connection.close()
        return self.tally

    async def _connect(self, tls: Any = None) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._answered, self._lost),
            self._target.host,
            self._target.port,
            ssl=tls if tls is not None else self._target.tls_context(),
        )
        self._open.add(connection)
        return connection

    def _answered(self, connection: Connection, request: Request) -> None:
        self._last_answer = perf_counter()
        failure = connection.failure(request)
        if failure:
            self.tally.failed(f"{request.operation} {failure}")
        else:
            moved = len(request.body) or connection.body_bytes
            self.tally.succeeded(self._last_answer - connection.sent_at, moved)
        self._source.done(request, not failure)
        if connection.reusable:
            self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        request = self._source.next() if perf_counter() < self._deadline else None
        if request is None:
            self._retire()
        else:
            connection.send(request)

    def _retire(self) -> None:
        self._running -= 1
        if self._running <= 0:
            self._idle_out.set()

    def _lost(self, connection: Connection, request: Request | None) -> None:
        self._open.discard(connection)
        if request is not None:
            self.tally.failed(f"{request.operation} connection lost")
            self._source.done(request, False)
        if request is not None or not connection.reusable:
            opening = asyncio.get_running_loop().create_task(self._replace())
            self._openings.add(opening)
            opening.add_done_callback(self._openings.discard)

    async def _replace(self) -> None:
        if perf_counter() >= self._deadline or self._connect_failures >= RECONNECTS_ALLOWED:
            return self._retire()
        try:
            self._advance(await self._connect())
        except OSError:
            self._connect_failures += 1
            self.tally.failed("connection refused")
            await asyncio.sleep(0.05)
            await self._replace()
        return None

    def _give_up(self) -> None:
        self._last_answer = perf_counter()
        for connection in self._open:
            if connection.request is not None:
                self.tally.failed(f"{connection.request.operation} timeout")


def run_closed(target: Target, source: Source, connections: int, seconds: float) -> Tally:
    """Drive `source` for at most `seconds`. Raises OSError if the first connections cannot be made."""

    async def run() -> Tally:
        return await ClosedLoop(target, source, connections, seconds).run()

    return run_on_uvloop(run())


def run_on_uvloop(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
