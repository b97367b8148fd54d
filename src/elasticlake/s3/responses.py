"""What goes back: status, headers, and bytes or a stream of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from elasticlake.s3.request import Send

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Response:
    """An answer: `body`, or a `stream` of `size_bytes`. A HEAD may give the size alone."""

    status: int = 200
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    size_bytes: int | None = None


def xml_response(body: bytes, status: int = 200) -> Response:
    return Response(status, [(b"content-type", b"application/xml")], body)


def no_content(headers: Headers | None = None) -> Response:
    return Response(204, headers or [])


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> bytes:
    """`Wed, 12 Oct 2009 17:50:00 GMT` (RFC 9110, 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True).encode()


async def send_response(send: Send, response: Response, request_id: bytes, *, head: bool, close: bool) -> int:
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
    sent = 0
    async for piece in response.stream:
        sent += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    return sent
