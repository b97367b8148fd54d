"""One attempt of a delivery: one HTTP POST, one deadline, one result whatever the receiver does."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from functools import lru_cache

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from elasticlake.clock import Clock, SystemClock
from elasticlake.delivery.dialer import Dial, Dialer, current_dial
from elasticlake.delivery.failure import ErrorClass, Failure, judge_status, judge_transport, timed_out, unusable_tls
from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.delivery.tls_contexts import TlsContexts, WebhookTls
from elasticlake.errors import Unavailable
from elasticlake.model.delivery_headers import standing_headers
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.endpoint import EndpointRefused
from elasticlake.record import record

BODY_CAP_BYTES = 16 * 1024
HEADER_LINE_BYTES = 8 * 1024
HEADER_COUNT = 100
HEADERS_CAP_BYTES = 16 * 1024
REMEMBERED_ENDPOINTS = 4096

_NO_TIMERS = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
_STALE = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientConnectionResetError)


@record
class Request:
    """What is sent: `headers` in order, after those of every attempt (Host, `Sender.standing_headers`).

    An owner's headers and a presigned URL in the body are credentials, so neither is shown by `repr`.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    deadline_seconds: float
    tls: WebhookTls | None = None
    """How the webhook speaks TLS, where it has a way of its own."""


@record
class Result:
    """What came of it. `error_class` is None for a success; `status_code` is None if no response began.

    `response_headers` and `response_body` are what arrived, to 16 KiB each, also where the attempt failed after them.
    """

    status_code: int | None
    error_class: ErrorClass | None
    error: str | None
    response_headers: tuple[tuple[str, str], ...]
    response_body: bytes
    started_at_ms: int
    duration_seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether the receiver answered a whole 2xx within the deadline."""
        return self.error_class is None

    @property
    def retry_after(self) -> str | None:
        """The response's `Retry-After` as sent."""
        return next((value for name, value in self.response_headers if name.lower() == "retry-after"), None)


@dataclass(slots=True)
class _Answer:
    """What has arrived so far, so that a deadline keeps what came before it."""

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytearray = field(default_factory=bytearray)


class Sender:
    """Sends attempts over kept connections; make it inside the event loop, use it as `async with`, or `close` it.

    `connection_limit` bounds attempts in flight; waiting for a slot is before the deadline starts. As many connections
    again are kept idle (15 s); beyond that, attempts use connections that close after them.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        version: str,
        connection_limit: int = 256,
        resolver: BoundedResolver | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.standing_headers = standing_headers(version)
        # The policy never changes and its answer depends on the URL alone: 15 µs an attempt, saved.
        self._check_endpoint = lru_cache(REMEMBERED_ENDPOINTS)(policy.check_endpoint)
        self._clock = clock or SystemClock()
        self._slots = asyncio.Semaphore(connection_limit)
        self._resolver = resolver or BoundedResolver(clock=self._clock)
        self._contexts = TlsContexts()
        self._dialer = Dialer(policy, self._resolver, tls or ssl.create_default_context(), 2 * connection_limit)
        self._keeping = _session(self._dialer.connector(keep_alive=True))
        self._fresh = _session(self._dialer.connector(keep_alive=False))

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def open_sockets(self) -> int:
        """Connections in use or kept."""
        return self._dialer.open_sockets

    async def close(self) -> None:
        """Close every connection. Cancel attempts in flight first: they would end as if their receivers had closed."""
        await self._keeping.close()
        await self._fresh.close()
        await self._resolver.close()

    async def send(self, request: Request) -> Result:
        """POST the request once and say what happened; a receiver's fault is a `Result`, never an exception.

        Raises `Unavailable` where this machine is at fault (no file descriptors or memory left): that is no attempt.
        """
        async with self._slots:
            started_at_ms, started = self._clock.now_ms(), self._clock.monotonic()
            answer = _Answer()
            failure = await self._attempt(request, answer)
            return Result(
                status_code=answer.status,
                error_class=failure.error_class if failure else None,
                error=failure.text if failure else None,
                response_headers=answer.headers,
                response_body=bytes(answer.body[:BODY_CAP_BYTES]),
                started_at_ms=started_at_ms,
                duration_seconds=self._clock.monotonic() - started,
            )

    async def _attempt(self, request: Request, answer: _Answer) -> Failure | None:
        failure: Failure | None = None
        dial = Dial(request.url.partition(":")[0].lower())
        token = current_dial.set(dial)
        try:
            self._check_endpoint(request.url)
            tls = await self._context(request)
            async with asyncio.timeout(request.deadline_seconds):
                await self._exchange(request, tls, dial, answer)
        except EndpointRefused as refusal:
            failure = Failure("refused_address", str(refusal))
        except TimeoutError:
            failure = timed_out(request.deadline_seconds, answer.status)
        except aiohttp.ClientError as error:
            failure = judge_transport(error, dial)
        except ssl.SSLError as error:
            failure = unusable_tls(error)
        finally:
            current_dial.reset(token)
        # A refusal needs no body: a status other than 2xx says more than how its body ended.
        return failure if answer.status is None else judge_status(answer.status) or failure

    async def _context(self, request: Request) -> ssl.SSLContext | bool:
        """What aiohttp takes as `ssl`; True is the connector's own."""
        if request.tls is None:
            return True
        try:
            return await self._contexts.of(request.tls)
        except ssl.SSLError:
            raise
        except OSError as fault:
            raise Unavailable(f"This machine cannot load a client certificate: {fault.strerror}.") from fault

    async def _exchange(self, request: Request, tls: ssl.SSLContext | bool, dial: Dial, answer: _Answer) -> None:
        if self._dialer.crowded():
            return await self._post(self._fresh, request, tls, answer)
        try:
            await self._post(self._keeping, request, tls, answer)
        except _STALE as error:
            if dial.dialled or answer.status is not None or not _unanswered(error):
                raise
            # The receiver closed a kept connection as we took it up: it has not failed, it was never asked.
            await self._post(self._fresh, request, tls, answer)

    async def _post(
        self, session: aiohttp.ClientSession, request: Request, tls: ssl.SSLContext | bool, answer: _Answer
    ) -> None:
        headers = CIMultiDict((*self.standing_headers, *request.headers))
        response = await session.post(
            URL(request.url, encoded=True), data=request.body, headers=headers, allow_redirects=False, ssl=tls
        )
        try:
            answer.status = response.status
            answer.headers = _bounded_headers(response.raw_headers)
            await _read_capped(response.content, answer.body)
        finally:
            # A connection whose response was not read to its end is closed by this, and not kept.
            response.release()


class _CarefulRequest(aiohttp.ClientRequest):
    """Takes no kept connection on which something came unasked: it would pass for the answer to this request."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if conn.protocol is None or conn.protocol.should_close:
            raise aiohttp.ClientConnectionResetError("the kept connection holds an answer that nobody asked for")
        return await super().send(conn)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        request_class=_CarefulRequest,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        auto_decompress=False,
        trust_env=False,
        timeout=_NO_TIMERS,
        read_bufsize=BODY_CAP_BYTES,
        max_line_size=HEADER_LINE_BYTES,
        max_field_size=HEADER_LINE_BYTES,
        max_headers=HEADER_COUNT,
    )


def _unanswered(error: aiohttp.ClientError) -> bool:
    """Whether no byte of a response came (aiohttp puts a response that had begun into the error's message)."""
    return not isinstance(error, aiohttp.ServerDisconnectedError) or isinstance(error.message, str)


def _bounded_headers(raw: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[str, str], ...]:
    """The headers as text that any database and JSON can hold, until they fill 16 KiB."""
    kept: list[tuple[str, str]] = []
    left_bytes = HEADERS_CAP_BYTES
    for name, value in raw:
        left_bytes -= len(name) + len(value)
        if left_bytes < 0:
            break
        kept.append((name.decode("utf-8", "replace"), value.decode("utf-8", "replace")))
    return tuple(kept)


async def _read_capped(content: aiohttp.StreamReader, body: bytearray) -> None:
    """Read to the body's end, or to one byte past the cap: then more comes, and nobody wants it."""
    while len(body) <= BODY_CAP_BYTES and not content.at_eof():
        body += await content.read(BODY_CAP_BYTES + 1 - len(body))
