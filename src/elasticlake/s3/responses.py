"""What goes back: status, headers, and bytes or a stream of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from elasticlake.s3.request import Receive, Send

WATCH_BYTES = 4 * 1024 * 1024
"""From this size on a download ends with its client: players and browsers give most large ones up."""

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Response:
    """An answer: `body`, or a `stream` that `body` begins, of `size_bytes`. A HEAD may give the size alone."""

    status: int = 200
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: AsyncGenerator[bytes, None] | None = None
    size_bytes: int | None = None

    async def begin(self) -> None:
        """Have the stream's first piece: what keeps it from coming can still be an answer. Raises what reading does."""
        if self.stream is not None:
            self.body = await anext(self.stream, b"")


def xml_response(body: bytes, status: int = 200) -> Response:
    return Response(status, [(b"content-type", b"application/xml")], body)


def no_content(headers: Headers | None = None) -> Response:
    return Response(204, headers or [])


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> bytes:
    """`Wed, 12 Oct 2009 17:50:00 GMT` (RFC 9110, 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True).encode()


async def send_response(
    send: Send, receive: Receive, response: Response, request_id: bytes, *, head: bool, close: bool
) -> int:
    """Send it all; returns the number of body bytes. A HEAD request gets the headers alone."""
    headers = response.headers
    if response.status not in (204, 304):
        size_bytes = len(response.body) if response.size_bytes is None else response.size_bytes
        headers.append((b"content-length", str(size_bytes).encode()))
    headers.append((b"x-amz-request-id", request_id))
    headers.append((b"x-amz-id-2", request_id))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if head or response.stream is None:
        body = b"" if head else response.body
        await send({"type": "http.response.body", "body": body})
        return len(body)
    sent_bytes = await _send_stream(send, receive, response.body, response.stream, response.size_bytes or 0)
    await send({"type": "http.response.body", "body": b""})
    return sent_bytes


async def _send_stream(
    send: Send, receive: Receive, first: bytes, stream: AsyncGenerator[bytes, None], size_bytes: int
) -> int:
    """Send the pieces until the client is gone, which `send` says nothing of; returns how many bytes went."""
    hang_up = asyncio.ensure_future(_hang_up(receive)) if size_bytes > WATCH_BYTES else None
    sent_bytes = len(first)
    try:
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async with aclosing(stream):
            async for piece in stream:
                if hang_up is not None and hang_up.done():
                    break
                sent_bytes += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        if hang_up is not None:
            hang_up.cancel()
    return sent_bytes


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
