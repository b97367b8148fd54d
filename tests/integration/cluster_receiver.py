"""A receiver that knows who calls: every attempt with its begin, its end and the process that made it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Manner = Callable[[int], tuple[float, int]]
"""How an endpoint behaves: the seconds until it answers and the status, from how many attempts came to it before."""


def at_once(_: int) -> tuple[float, int]:
    return 0.0, 200


@dataclass(slots=True)
class Arrival:
    """One attempt as it arrived. Times are `time.monotonic`'s; `status` is 0 if it was given up before the answer."""

    path: str
    sender: str
    delivery: str
    bucket: str
    sequence: int
    key: str
    began: float
    ended: float = float("inf")
    status: int = 0

    @property
    def succeeded(self) -> bool:
        return self.status == 200


class ClusterReceiver:
    """Listens on loopback, one event loop in a thread of its own."""

    def __init__(self, owner: Callable[[int, int], str]) -> None:
        """`owner` names the process at the other end of a connection, by its port and ours."""
        self.owner = owner
        self.arrivals: list[Arrival] = []
        self.manners: dict[str, Manner] = {}
        self._counts: dict[str, int] = {}
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        listening = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=512)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def endpoint(self, path: str, manner: Manner = at_once) -> str:
        """The URL of a new endpoint."""
        self.manners[path] = manner
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Arrival]:
        return [arrival for arrival in list(self.arrivals) if arrival.path == path]

    def delivered(self, path: str) -> set[tuple[str, int]]:
        """Bucket and sequence of every event that was answered 200."""
        return {(arrival.bucket, arrival.sequence) for arrival in self.at(path) if arrival.succeeded}

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _close(self) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()

    def manner_of(self, path: str) -> tuple[float, int]:
        before = self._counts.get(path, 0)
        self._counts[path] = before + 1
        return self.manners[path](before)

    def connected(self, connection: _Connection) -> None:
        self._connections.add(connection)

    def disconnected(self, connection: _Connection) -> None:
        self._connections.discard(connection)


class _Connection(asyncio.Protocol):
    """One kept connection: requests one after another."""

    transport: asyncio.Transport

    def __init__(self, receiver: ClusterReceiver) -> None:
        self._receiver = receiver
        self._data = b""
        self._sender = ""
        self._current: Arrival | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._sender = self._receiver.owner(transport.get_extra_info("peername")[1], self._receiver.port)
        self._receiver.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._current is not None:
            self._current.ended = time.monotonic()
            self._current = None
        self._receiver.disconnected(self)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, separator, rest = self._data.partition(b"\r\n\r\n")
        if not separator:
            return
        line, *fields = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        length = int(headers["content-length"])
        if len(rest) < length:
            return
        self._data = rest[length:]
        self._take(line.split(" ")[1], headers, rest[:length])

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        event = json.loads(body)
        self._current = arrival = Arrival(
            path,
            self._sender,
            headers["x-elasticlake-delivery"],
            event["bucket"],
            event["sequence"],
            event["object"]["key"],
            time.monotonic(),
        )
        self._receiver.arrivals.append(arrival)
        seconds, status = self._receiver.manner_of(path)
        asyncio.get_running_loop().call_later(seconds, self._answer, arrival, status)

    def _answer(self, arrival: Arrival, status: int) -> None:
        if self._current is not arrival:
            return  # its sender gave up
        self._current = None
        arrival.ended, arrival.status = time.monotonic(), status
        self.transport.write(b"HTTP/1.1 %d Answer\r\nContent-Length: 0\r\n\r\n" % status)
