"""A receiver for many requests and odd answers: one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.integration.receiver import PATIENCE_SECONDS, Received, eventually


class Came(NamedTuple):
    """A request, and when it was complete (by `time.monotonic`)."""

    request: Received
    at: float

    @property
    def sequence(self) -> int:
        return int(self.request.event["sequence"])

    @property
    def key(self) -> str:
        return str(self.request.event["object"]["key"])


class Answer(NamedTuple):
    """A status, and header lines to go with it."""

    status: int
    headers: tuple[str, ...] = ()


Decide = Callable[[Received], "Answer | int | None"]
"""The answer to a request; None leaves it without one."""


class QuickReceiver:
    """Listens on loopback, keeps every request, and answers what `decide` says."""

    def __init__(self, decide: Decide = lambda _: 200) -> None:
        self.decide = decide
        self.came: list[Came] = []
        self._loop = asyncio.new_event_loop()
        self._transports: set[asyncio.Transport] = set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        listening = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=512)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{path}"

    def at(self, path: str) -> list[Came]:
        return [one for one in list(self.came) if one.request.path == path]

    def sequences(self, path: str = "/") -> list[int]:
        return [one.sequence for one in self.at(path)]

    def wait_for(self, count: int, path: str = "/", *, seconds: float = PATIENCE_SECONDS) -> list[Came]:
        """The requests to `path` as soon as there are `count`."""
        eventually(lambda: len(self.at(path)) >= count, seconds=seconds)
        return self.at(path)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _close(self) -> None:
        self._server.close()
        for transport in list(self._transports):
            transport.abort()

    def _take(self, request: Received) -> bytes | None:
        self.came.append(Came(request, time.monotonic()))
        decided = self.decide(request)
        if decided is None:
            return None
        answer = decided if isinstance(decided, Answer) else Answer(decided)
        lines = (f"HTTP/1.1 {answer.status} Answer", "Content-Length: 0", *answer.headers)
        return "\r\n".join((*lines, "", "")).encode()


class _Connection(asyncio.Protocol):
    """One kept connection: requests one after another."""

    def __init__(self, receiver: QuickReceiver) -> None:
        self._receiver = receiver
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver._transports.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._receiver._transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (request := self._next()) is not None:
            answer = self._receiver._take(request)
            if answer is not None:
                self._transport.write(answer)

    def _next(self) -> Received | None:
        head, separator, rest = self._data.partition(b"\r\n\r\n")
        if not separator:
            return None
        line, *fields = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        length = int(headers["content-length"])
        if len(rest) < length:
            return None
        self._data = rest[length:]
        return Received(line.split(" ")[1], headers, rest[:length])
