"""One S3 request: what it asks for, who asks, and the body that may come with it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from elasticlake.model.accounts import ANONYMOUS, Caller
from elasticlake.s3 import sigv4
from elasticlake.s3.credentials import Credentials
from elasticlake.s3.errors import S3Error
from elasticlake.service.context import Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = Mapping[str, Any]

MAX_HEADER_BYTES = 16 * 1024
"""For all values of a request's headers and its query together. S3's own limit is half of it."""
_has_bad_escape = re.compile(rb"%(?![0-9A-Fa-f]{2})").search
# More digits than any size or count has, and few enough for int() to take without complaint.
_is_number = re.compile(r"-?[0-9]{1,40}").fullmatch


@dataclass(slots=True)
class Intake:
    """The request's body as the server hands it over, and how much of it has been taken."""

    receive: Receive
    ended: bool = False
    taken_bytes: int = 0
    started: bool = False

    async def next(self) -> bytes:
        """The next bytes, empty at the end; raises `S3Error` IncompleteBody if the client went away."""
        while not self.ended:
            self.started = True
            message = await self.receive()
            if message["type"] == "http.disconnect":
                self.ended = True
                raise S3Error("IncompleteBody")
            self.ended = not message.get("more_body", False)
            data: bytes = message.get("body", b"")
            if data:
                self.taken_bytes += len(data)
                return data
        return b""


@dataclass(slots=True)
class S3Request:
    """A request, parsed but not yet trusted. Header names are lower case, values as sent (ISO 8859-1)."""

    id: str
    method: str
    raw_path: bytes
    query_string: bytes
    raw_headers: Mapping[bytes, bytes]
    headers: dict[str, str]
    query: dict[str, str]
    bucket: str | None
    key: bytes | None
    intake: Intake
    scheme: str = "http"
    is_virtual_hosted: bool = False
    """Whether Host named the bucket."""
    credentials: Credentials | None = None
    signing_key: bytes = b""
    seed_signature: str = ""
    caller: Caller = ANONYMOUS
    operation: str = "-"
    trace: str | None = None
    """Its span's `traceparent`, where it is traced."""
    logged: dict[str, Any] = field(default_factory=dict)

    @property
    def context(self) -> Request:
        """What the services want to know of it."""
        return Request(self.caller, self.id, self.trace)

    @property
    def bucket_name(self) -> str:
        assert self.bucket is not None
        return self.bucket

    @property
    def key_bytes(self) -> bytes:
        assert self.key is not None
        return self.key

    @property
    def content_length(self) -> int | None:
        """Content-Length, None if there is none; raises `S3Error` if it is no number."""
        text = self.headers.get("content-length")
        if text is None:
            return None
        if not is_digits(text):
            raise S3Error("InvalidArgument", "Content-Length must be a number.")
        return int(text)

    def require_signer(self) -> None:
        """Raises `S3Error` AccessDenied for a request that nobody signed, before its document takes memory and time."""
        if self.caller.is_anonymous:
            raise S3Error("AccessDenied")

    def number(self, name: str, default: int, maximum: int) -> int:
        """A query parameter that counts something, cut off at `maximum`; raises `S3Error` InvalidArgument."""
        text = self.query.get(name, "")
        if not text:
            return default
        details = {"ArgumentName": name, "ArgumentValue": text}
        if not _is_number(text):
            raise S3Error("InvalidArgument", f"Provided {name} not an integer or within integer range", details=details)
        value = int(text)
        if not 0 <= value <= 2**31 - 1:
            message = f"Argument {name} must be an integer between 0 and 2147483647"
            raise S3Error("InvalidArgument", message, details=details)
        return min(value, maximum)


def is_digits(text: str) -> bool:
    """Whether `text` is a non-negative number that `int` takes: ASCII digits alone, and not thousands of them."""
    return _is_number(text) is not None and text[0] != "-"


def read_request(scope: Scope, receive: Receive, request_id: str, domains: tuple[str, ...]) -> S3Request:
    """What the ASGI scope asks for. With a domain configured, `bucket.domain` in Host names the bucket."""
    raw_headers = sigv4.header_map(scope["headers"])
    if len(b"".join(raw_headers.values())) + len(scope["query_string"]) > MAX_HEADER_BYTES:
        raise S3Error("RequestHeaderSectionTooLarge")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw_headers.items()}
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    query_string: bytes = scope["query_string"]
    if b"%" in raw_path and _has_bad_escape(raw_path):
        raise S3Error("InvalidURI")
    virtual_bucket = _virtual_bucket(headers.get("host", ""), domains)
    bucket, key = _place(raw_path, virtual_bucket)
    return S3Request(
        request_id,
        scope["method"],
        raw_path,
        query_string,
        raw_headers,
        headers,
        _query(query_string) if query_string else {},
        bucket,
        key,
        Intake(receive),
        scope.get("scheme", "http"),
        virtual_bucket is not None,
    )


def _query(query_string: bytes) -> dict[str, str]:
    if b"%" in query_string and _has_bad_escape(query_string):
        raise S3Error("InvalidURI")
    try:
        return dict(parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise S3Error("InvalidURI") from None


def _virtual_bucket(host: str, domains: tuple[str, ...]) -> str | None:
    if not domains:
        return None
    name = host.lower() if host.endswith("]") else host.lower().rsplit(":", 1)[0]
    for domain in domains:
        if name.endswith("." + domain):
            return name[: -len(domain) - 1]
    return None


def _place(raw_path: bytes, virtual_bucket: str | None) -> tuple[str | None, bytes | None]:
    path = raw_path[1:]
    if virtual_bucket is not None:
        return virtual_bucket, unquote_to_bytes(path) or None
    bucket, _, key = path.partition(b"/")
    if not bucket:
        if path:
            raise S3Error("InvalidBucketName")
        return None, None
    try:
        name = unquote_to_bytes(bucket).decode()
    except UnicodeDecodeError:
        raise S3Error("InvalidBucketName") from None
    return name, unquote_to_bytes(key) or None
