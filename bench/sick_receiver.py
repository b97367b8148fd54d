"""Receivers that are sick, in a process of their own, so that they cost the well one nothing.

Run by `python -m bench.sick_receiver COUNTS HANGING DRIPPING CLOSING` with a port for each. The last three take
deliveries; a connection to the first is told, as JSON, how many requests each of them has seen, and closed.
"""

import asyncio
import json
import re
import signal
import sys
from collections import Counter
from functools import partial
from typing import cast

import uvloop

KINDS = ("hanging", "dripping", "closing")
DRIP_SECONDS = 1.0
IDLE_SECONDS = 0.05
"""How long a connection is kept that then closes: long enough to be taken up again, short enough to be lost by it."""
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
DRIPPED = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Hanging(asyncio.Protocol):
    """Takes a request and never answers; counts one for each connection."""

    kind = "hanging"

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen
        self._asked = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if not self._asked:
            self._asked = True
            self._seen[self.kind] += 1
            self.answer()

    def answer(self) -> None:
        """Nothing comes."""


class Dripping(Hanging):
    """Answers a byte a second, of a head that is not complete before any deadline."""

    kind = "dripping"

    def answer(self, sent: int = 0) -> None:
        if self._transport is not None:
            self._transport.write(DRIPPED[sent : sent + 1] or b" ")
            asyncio.get_running_loop().call_later(DRIP_SECONDS, self.answer, sent + 1)


class Closing(asyncio.Protocol):
    """Answers 200, promises to keep the connection, and closes it once it is idle."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        found = _LENGTH.search(self._data, 0, end + 2) if end >= 0 else None
        if found and len(self._data) >= end + 4 + int(found[1]):
            self._data = self._data[end + 4 + int(found[1]) :]
            self._answer()

    def _answer(self) -> None:
        assert self._transport is not None
        self._seen["closing"] += 1
        self._transport.write(OK)
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._transport.close)


class Counts(asyncio.Protocol):
    """Tells what was seen to whoever connects."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        told = cast(asyncio.Transport, transport)
        told.write(json.dumps({kind: self._seen[kind] for kind in KINDS}).encode())
        told.close()


async def serve(ports: list[int]) -> None:
    """Receive on loopback until SIGTERM."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    seen: Counter[str] = Counter()
    protocols: tuple[type[Counts | Hanging | Dripping | Closing], ...] = (Counts, Hanging, Dripping, Closing)
    for protocol, port in zip(protocols, ports, strict=True):
        await loop.create_server(partial(protocol, seen), "127.0.0.1", port)
    await stopped.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve([int(port) for port in sys.argv[1:]]))
