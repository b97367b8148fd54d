"""One attempt of a delivery: one HTTP POST, one deadline, one result whatever the receiver does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache

from elasticlake.clock import Clock, SystemClock
from elasticlake.delivery.answer import Answer
from elasticlake.delivery.connection import Connection, ConnectionEnded
from elasticlake.delivery.dialer import Dial, Dialer
from elasticlake.delivery.failure import (
    ErrorClass,
    Failure,
    judge_answer,
    judge_dialling,
    judge_ending,
    judge_status,
    timed_out,
    unusable_tls,
)
from elasticlake.delivery.head import Head, head_of
from elasticlake.delivery.pool import Pool
from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.delivery.tls_contexts import TlsContexts, WebhookTls
from elasticlake.errors import Unavailable
from elasticlake.model.delivery_headers import standing_headers
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.endpoint import EndpointRefused
from elasticlake.model.timings import Timings
from elasticlake.record import record

REMEMBERED_ENDPOINTS = 4096


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
    timings: Timings | None = None
    """None where nothing was tried."""
    address: str | None = None
    """The address and port last dialled, or that the kept connection goes to: `203.0.113.7:443`,
    `[2001:db8::1]:443`."""

    @property
    def succeeded(self) -> bool:
        """Whether the receiver answered a whole 2xx within the deadline."""
        return self.error_class is None

    @property
    def retry_after(self) -> str | None:
        """The response's `Retry-After` as sent."""
        return next((value for name, value in self.response_headers if name.lower() == "retry-after"), None)


@dataclass(slots=True)
class _Course:
    """What an attempt has come to so far, so that a deadline keeps what came before it."""

    answer: Answer = field(default_factory=Answer)
    dial: Dial | None = None
    connection: Connection | None = None

    @property
    def timings(self) -> Timings | None:
        if self.dial is None:
            return None
        first_byte = None if self.connection is None else self.connection.first_byte_seconds
        first_byte_ms = None if first_byte is None else first_byte * 1000
        return Timings(self.dial.dns_ms, self.dial.connect_ms, self.dial.tls_ms, first_byte_ms)

    @property
    def address(self) -> str | None:
        if self.connection is not None:
            return self.connection.address
        return None if self.dial is None else self.dial.address


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
        self._policy = policy
        # The policy never changes and its answer depends on the URL alone, and so do a request's first lines.
        self._head = lru_cache(REMEMBERED_ENDPOINTS)(self._permitted_head)
        self._clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(connection_limit)
        self._resolver = resolver or BoundedResolver(clock=self._clock)
        self._tls = tls or ssl.create_default_context()
        self._contexts = TlsContexts()
        self._dialer = Dialer(policy, self._resolver, self._clock, 2 * connection_limit)
        self._pool = Pool()

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
        self._pool.close()
        self._dialer.close()
        await self._resolver.close()
        # Transports close their sockets in the loop's next turn.
        await asyncio.sleep(0)

    async def send(self, request: Request) -> Result:
        """POST the request once and say what happened; a receiver's fault is a `Result`, never an exception.

        Raises `Unavailable` where this machine is at fault (no file descriptors or memory left): that is no attempt;
        ValueError for a header that is no line.
        """
        async with self._slots:
            started_at_ms, started = self._clock.now_ms(), self._clock.monotonic()
            course = _Course()
            failure = await self._attempt(request, course)
            answer = course.answer
            return Result(
                status_code=answer.status,
                error_class=failure.error_class if failure else None,
                error=failure.text if failure else None,
                response_headers=answer.headers,
                response_body=bytes(answer.body),
                started_at_ms=started_at_ms,
                duration_seconds=self._clock.monotonic() - started,
                timings=course.timings,
                address=course.address,
            )

    async def _attempt(self, request: Request, course: _Course) -> Failure | None:
        try:
            head = self._head(request.url)
            tls = await self._context(request)
            failure = await self._exchange(request, head, tls, course)
        except EndpointRefused as refusal:
            failure = Failure("refused_address", str(refusal))
        except TimeoutError:
            failure = timed_out(request.deadline_seconds, course.answer.status)
        except ConnectionEnded as end:
            failure = judge_ending(end.reason, course.answer.status)
        except ssl.SSLError as error:
            failure = unusable_tls(error)
        finally:
            course.answer.stop()
        # A refusal needs no body: a status other than 2xx says more than how its body ended.
        return failure if course.answer.status is None else judge_status(course.answer.status) or failure

    def _permitted_head(self, url: str) -> Head:
        self._policy.check_endpoint(url)
        return head_of(url, self.standing_headers)

    async def _context(self, request: Request) -> ssl.SSLContext:
        if request.tls is None:
            return self._tls
        try:
            return await self._contexts.of(request.tls)
        except ssl.SSLError:
            raise
        except OSError as fault:
            raise Unavailable(f"This machine cannot load a client certificate: {fault.strerror}.") from fault

    async def _exchange(self, request: Request, head: Head, tls: ssl.SSLContext, course: _Course) -> Failure | None:
        deadline_at = self._loop.time() + request.deadline_seconds
        asked = head.request(request.headers, len(request.body), keep=True)
        course.dial, key = Dial(), (head.endpoint, request.tls)
        kept = course.connection = self._pool.take(key)
        if kept is not None:
            try:
                await kept.exchange(asked, request.body, course.answer, deadline_at)
            except ConnectionEnded:
                if course.answer.has_begun:
                    raise
                # Most likely the receiver closed a kept connection as we took it up, so it was never asked. It may have
                # read the request and died: then it is asked twice, as after any lost answer.
                course.answer.stop()
                course.answer, course.connection = Answer(), None
            else:
                return self._done(key, kept, course.answer)
        keep = not self._dialer.crowded()
        if not keep:
            asked = head.request(request.headers, len(request.body), keep=False)
        fresh = await self._connect(head, tls, course.dial, deadline_at)
        if isinstance(fresh, Failure):
            return fresh
        course.connection = fresh
        await fresh.exchange(asked, request.body, course.answer, deadline_at)
        return self._done(key if keep else None, fresh, course.answer)

    async def _connect(self, head: Head, tls: ssl.SSLContext, dial: Dial, deadline_at: float) -> Connection | Failure:
        endpoint = head.endpoint
        async with asyncio.timeout_at(deadline_at):
            try:
                return await self._dialer.connect(endpoint, tls if endpoint.scheme == "https" else None, dial)
            except OSError as error:
                return judge_dialling(error, endpoint.host, dial)

    def _done(self, key: Hashable, connection: Connection, answer: Answer) -> Failure | None:
        """The answer is over: keep the connection under the key, if there is one."""
        if key is not None and connection.is_usable:
            self._pool.keep(key, connection)
        else:
            connection.abort()
        return judge_answer(answer)
