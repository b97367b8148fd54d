"""Requests for unit tests, without a server."""

from __future__ import annotations

from collections.abc import Iterable

from elasticlake.s3.request import Message, S3Request, read_request


def request(
    method: str = "GET",
    target: str = "/bucket/key",
    headers: Iterable[tuple[str, str]] = (),
    body: Iterable[bytes] = (),
    domains: tuple[str, ...] = (),
) -> S3Request:
    """The request of a target as it is sent."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "scheme": "http",
    }
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return read_request(scope, receive, "0123456789ABCDEF", domains)
