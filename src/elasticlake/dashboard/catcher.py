"""The catcher: a receiver of webhooks for a developer who has none yet. It listens on this machine alone, at a port of
its own, checks each signature as a receiver should, and keeps the last requests for the page that shows them.

A place that it has forgotten answers 410, with which a receiver ends a webhook for good.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections import OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog

from elasticlake import signing
from elasticlake.clock import Clock
from elasticlake.record import record

MAX_PLACES = 10
MAX_REQUESTS = 50
MAX_BODY_BYTES = 64 * 1024
LIFE_SECONDS = 3600.0
_MAX_HEAD_BYTES = 32 * 1024
_MAX_CONNECTIONS = 32
_REQUEST_SECONDS = 10.0
_SIGNATURE = "x-elasticlake-signature"

_log = structlog.get_logger("catcher")
_PLACE = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}/[A-Za-z0-9_-]{22}")


@record
class Caught:
    """A request that came, and whether its signature is the webhook's. `number` counts from 1."""

    number: int
    time_ms: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_verified: bool

    def header(self, name: str) -> str:
        """The header of that lower-case name; empty if it is missing."""
        return next((value for known, value in self.headers if known.lower() == name), "")


@dataclass(slots=True)
class Place:
    """Where one webhook's deliveries are caught."""

    bucket: str
    url: str
    secret: str = field(repr=False)
    opened_at: float
    webhook_id: str = ""
    """Empty until the webhook is made."""
    count: int = 0
    caught: deque[Caught] = field(default_factory=lambda: deque(maxlen=MAX_REQUESTS))
    _came: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def take(self, now_ms: int, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
        """Keep a request; the oldest goes for it."""
        self.count += 1
        signature = next((value for name, value in headers if name.lower() == _SIGNATURE), "")
        is_verified = hmac.compare_digest(signature.encode(), signing.page_signature(self.secret, body).encode())
        self.caught.append(Caught(self.count, now_ms, headers, body, is_verified))
        self._came.set()

    async def wait_for(self, count: int, seconds: float) -> None:
        """Return when so many requests have come, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.count < count:
                    self._came.clear()
                    await self._came.wait()


class _Refused(Exception):
    """The request is answered with this status, and not kept."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Catchers:
    """The places of one gateway process, in memory. The listener starts with the first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._server: asyncio.Server | None = None
        self._connections = 0

    async def open(self, bucket: str) -> Place:
        """A new place for a webhook of the bucket, with a secret to make it with. The eldest of ten goes for it."""
        port = await self._listen()
        self._forget_old()
        while len(self._places) >= MAX_PLACES:
            self._places.popitem(last=False)
        path = f"/{secrets.token_urlsafe(16)}"
        url = f"http://127.0.0.1:{port}{path}"
        self._places[path] = place = Place(bucket, url, signing.generate_secret(), self._clock.monotonic())
        return place

    def of_bucket(self, bucket: str) -> Place | None:
        """The newest place that catches for a webhook of the bucket."""
        self._forget_old()
        ours = [place for place in self._places.values() if place.bucket == bucket and place.webhook_id]
        return ours[-1] if ours else None

    def forget(self, place: Place) -> None:
        self._places = OrderedDict((path, known) for path, known in self._places.items() if known is not place)

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _listen(self) -> int:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_MAX_HEAD_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    def _forget_old(self) -> None:
        since = self._clock.monotonic() - LIFE_SECONDS
        self._places = OrderedDict((path, place) for path, place in self._places.items() if place.opened_at > since)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of one connection, answered and closed."""
        self._connections += 1
        try:
            if self._connections <= _MAX_CONNECTIONS:
                async with asyncio.timeout(_REQUEST_SECONDS):
                    writer.write(_response(await self._answer(reader)))
                    await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            _log.debug("a request was not whole")
        finally:
            self._connections -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> HTTPStatus:
        try:
            method, path, headers = _parse_head(await reader.readuntil(b"\r\n\r\n"))
            # Even of what is refused: a connection closed on unread bytes may lose the answer.
            body = await reader.readexactly(_length({name.lower(): value for name, value in headers}))
            self._find(method, path).take(self._clock.now_ms(), headers, body)
        except _Refused as refused:
            return refused.status
        return HTTPStatus.OK

    def _find(self, method: str, path: str) -> Place:
        self._forget_old()
        place = self._places.get(path)
        if place is None:
            raise _Refused(HTTPStatus.GONE)
        if method != "POST":
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED)
        return place


def is_catchers(endpoint: str) -> bool:
    """Whether the endpoint looks like a place of a catcher, of this process or of one before it."""
    return _PLACE.fullmatch(endpoint) is not None


def _response(status: HTTPStatus) -> bytes:
    return f"HTTP/1.1 {status} {status.phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()


def _parse_head(head: bytes) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Method, path and headers of a request (RFC 9112, section 2.1)."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Refused(HTTPStatus.BAD_REQUEST)
    pairs = [line.partition(":") for line in lines]
    return words[0], words[1], tuple((name, value.strip()) for name, _, value in pairs)


def _length(headers: Mapping[str, str]) -> int:
    """How many bytes the body has: deliveries say so."""
    text = headers.get("content-length", "")
    if "transfer-encoding" in headers or not (text.isascii() and text.isdigit()):
        raise _Refused(HTTPStatus.LENGTH_REQUIRED)
    if len(text) > 9 or int(text) > MAX_BODY_BYTES:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return int(text)
