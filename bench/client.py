"""One keep-alive HTTP/1.1 connection that costs the generator next to nothing.

There is no future and no task per request: an answer calls `on_answer`, which sends the connection's next request.
"""

import asyncio
import re
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple, cast

from bench.chunked import ChunkScanner

BUFFER_BYTES = 256 * 1024
NO_BODY_STATUSES = (204, 304)
ANY_LENGTH = -1
_ERROR_CODE = re.compile(rb"<Code>([^<]{1,80})</Code>")


class Request(NamedTuple):
    """A signed request, ready to be written. `expected_bytes` is the answer's body, ANY_LENGTH if unknown."""

    operation: str
    key: str
    head: bytes
    body: bytes = b""
    expected_bytes: int = ANY_LENGTH


class Connection(asyncio.BufferedProtocol):
    """Sends one request at a time and counts its answer's body instead of keeping it.

    Only a failure's body is kept, in `content`.
    """

    def __init__(
        self,
        on_answer: Callable[["Connection", Request], None],
        on_lost: Callable[["Connection", Request | None], None],
    ) -> None:
        self._on_answer, self._on_lost = on_answer, on_lost
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._transport: asyncio.Transport | None = None
        self._request: Request | None = None
        self._head = b""
        self._left = 0
        self._in_body = self._until_close = False
        self._chunks: ChunkScanner | None = None
        self.content = bytearray()
        self.status = self.body_bytes = 0
        self.reusable = True
        self.sent_at = 0.0

    @property
    def request(self) -> Request | None:
        """The request that waits for its answer."""
        return self._request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)  # uvloop's transports are not subclasses of asyncio's
        # The default high-water mark would only cost calls of pause_writing: one request is all that is ever queued.
        stream.set_write_buffer_limits(high=1 << 30)
        self._transport = stream

    def send(self, request: Request) -> None:
        """Write a request; the connection must be idle."""
        assert self._transport is not None
        assert self._request is None
        self._request = request
        self.sent_at = perf_counter()
        if len(request.body) <= BUFFER_BYTES:
            self._transport.write(request.head + request.body)
        else:
            self._transport.writelines((request.head, request.body))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        if self._request is None:  # bytes that nobody asked for: the connection cannot be trusted any more
            self.close()
        elif self._in_body:
            self._body(0, nbytes)
        elif self._head:
            self._split_head(nbytes)
        else:
            end = self._buffer.find(b"\r\n\r\n", 0, nbytes)
            if end < 0:
                self._head = bytes(self._view[:nbytes])
            else:
                self._begin(bytes(self._view[:end]).lower(), end + 4, nbytes)

    def _split_head(self, count: int) -> None:
        """The head came in more than one read: join what there is, and go on as if it had come in one."""
        joined = self._head + self._view[:count]
        end = joined.find(b"\r\n\r\n")
        if end < 0 or len(joined) > BUFFER_BYTES:
            self._head = joined
            return
        self._head = b""
        self._view[: len(joined)] = joined
        self._begin(joined[:end].lower(), end + 4, len(joined))

    def _begin(self, head: bytes, start: int, count: int) -> None:
        """Read the head: the status, where the body ends, and whether the connection stays open."""
        request = self._request
        assert request is not None
        self.status = int(head[9:12])
        self.reusable = b"\r\nconnection: close" not in head
        self.body_bytes = self._left = 0
        if self.content:
            self.content = bytearray()
        if request.operation == "HEAD" or self.status in NO_BODY_STATUSES:
            return self._finish()
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            self._left = int(head[at + 17 :].split(b"\r\n", 1)[0])
            if self._left == 0:
                return self._finish()
        elif b"\r\ntransfer-encoding: chunked" in head:
            self._chunks = ChunkScanner()
        else:
            self._until_close, self.reusable = True, False
        self._in_body = True
        if start < count:
            self._body(start, count)
        return None

    def _body(self, start: int, stop: int) -> None:
        if self._chunks is not None:
            return self._chunked(bytes(self._view[start:stop]))
        if self.status >= 300:
            self.content += self._view[start:stop]
        self.body_bytes += stop - start
        self._left -= stop - start
        if self._left <= 0 and not self._until_close:
            self._finish()
        return None

    def _chunked(self, data: bytes) -> None:
        assert self._chunks is not None
        self._chunks.feed(data)
        if self._chunks.done:
            self.content, self.body_bytes = self._chunks.content, len(self._chunks.content)
            self._finish()

    def _finish(self) -> None:
        request, self._request = self._request, None
        assert request is not None
        self._in_body = self._until_close = False
        self._chunks = None
        if not self.reusable:
            self.close()
        self._on_answer(self, request)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._until_close and exc is None:
            self._finish()
        self._transport = None
        lost, self._request = self._request, None
        self._on_lost(self, lost)

    def failure(self, request: Request) -> str:
        """Why the last answer is not a success; empty if it is one."""
        if not 200 <= self.status < 300:
            code = _ERROR_CODE.search(self.content)
            return f"{self.status} {code[1].decode(errors='replace')}" if code else str(self.status)
        if request.expected_bytes not in (ANY_LENGTH, self.body_bytes):
            return "wrong body length"
        return ""
