"""A bare ASGI application that answers S3's requests and stores nothing but lengths.

It is what an S3 server in Python would be if storage, signatures and events were free: each shape's speed against it
is that shape's ceiling on this machine. Run by `uvicorn bench.null_server:app`.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BLOCK = b"x" * 262_144
UPLOAD = b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
COMPLETED = b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"
MISSING = b"<Error><Code>NoSuchKey</Code></Error>"
_ENTRY = (
    "<Contents><Key>small/{0:09d}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>4096</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
PAGE = f"<ListBucketResult>{''.join(map(_ENTRY.format, range(100)))}</ListBucketResult>".encode()
_PREFIXES = "".join(f"<CommonPrefixes><Prefix>p{number}/</Prefix></CommonPrefixes>" for number in range(10))
PREFIXES = f"<ListBucketResult>{_PREFIXES}</ListBucketResult>".encode()

_lengths: dict[str, int] = {}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    method, path = scope["method"], scope["path"]
    if method == "PUT":
        _lengths[path] = await _intake(receive)
        await _answer(send, 200)
    elif method == "POST":
        await _intake(receive)
        await _answer(send, 200, UPLOAD if scope["query_string"].startswith(b"uploads") else COMPLETED)
    elif method == "DELETE":
        _lengths.pop(path, None)
        await _answer(send, 204)
    elif b"list-type" in scope["query_string"]:
        await _answer(send, 200, PREFIXES if b"delimiter" in scope["query_string"] else PAGE)
    elif path not in _lengths:
        await _answer(send, 404, MISSING)
    elif method == "HEAD":
        await _head(send, 200, _lengths[path])
        await send({"type": "http.response.body", "body": b""})
    else:
        await _stream(send, _lengths[path])


async def _intake(receive: Receive) -> int:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            return size


async def _head(send: Send, status: int, length: int) -> None:
    headers = [(b"content-length", str(length).encode()), (b"etag", b'"d41d8cd98f00b204e9800998ecf8427e"')]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _answer(send: Send, status: int, body: bytes = b"") -> None:
    await _head(send, status, len(body))
    await send({"type": "http.response.body", "body": body})


async def _stream(send: Send, length: int) -> None:
    await _head(send, 200, length)
    while length > len(BLOCK):
        await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
        length -= len(BLOCK)
    await send({"type": "http.response.body", "body": BLOCK[:length]})
