"""Requests byte by byte: what well-behaved client libraries never send."""

from __future__ import annotations

import hashlib
import http.client
import re
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.integration.server import ACCESS_KEY, SECRET_KEY

from elasticlake.s3 import sigv4
from elasticlake.s3.canonical import encode

TIMEOUT_SECONDS = 20
_CODE = re.compile(r"<Code>(.*?)</Code>")


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """S3's error code; empty if the body is no error document."""
        found = _CODE.search(self.body.decode("utf-8", "replace"))
        return found[1] if found else ""


@dataclass
class Wire:
    """A server's port, and the root account's key to sign with."""

    port: int
    access_key_id: str = ACCESS_KEY
    secret: str = SECRET_KEY
    domain: str = field(default="127.0.0.1")

    @property
    def host(self) -> str:
        return f"{self.domain}:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS)

    def head(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        unsigned: Mapping[str, str] | None = None,
        payload_hash: str = sigv4.UNSIGNED_PAYLOAD,
        now_ms: int | None = None,
        secret: str | None = None,
        access_key_id: str | None = None,
    ) -> bytes:
        """A signed request's head. `path` is as it is sent; `unsigned` headers are added after signing."""
        signed = self.sign(method, path, query, headers or {}, payload_hash, now_ms, secret, access_key_id)
        encoded = "&".join(f"{_quote(name)}={_quote(value)}" for name, value in query)
        lines = [f"{method} {path}{'?' if encoded else ''}{encoded} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in {**signed, **(unsigned or {})}.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def sign(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]],
        headers: Mapping[str, str],
        payload_hash: str,
        now_ms: int | None,
        secret: str | None = None,
        access_key_id: str | None = None,
    ) -> dict[str, str]:
        """The headers, signed."""
        return sigv4.sign(
            method,
            self.host,
            path.encode(),
            query,
            headers,
            access_key_id or self.access_key_id,
            secret or self.secret,
            "us-east-1",
            round(time.time() * 1000) if now_ms is None else now_ms,
            payload_hash,
        )

    def send(self, method: str, path: str, body: bytes = b"", **options: object) -> Reply:
        """A signed request with its Content-Length."""
        unsigned = {"content-length": str(len(body)), **(options.pop("unsigned", None) or {})}  # type: ignore[dict-item]
        return self.exchange(self.head(method, path, unsigned=unsigned, **options) + body, method)  # type: ignore[arg-type]

    def exchange(self, data: bytes, method: str = "GET") -> Reply:
        """Send bytes as they are and read one answer."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_reply(connection, method)

    def abandon(self, data: bytes) -> None:
        """Send bytes and hang up."""
        with self.connect() as connection:
            connection.sendall(data)


def read_reply(connection: socket.socket, method: str = "GET") -> Reply:
    """One answer from the connection."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    body = response.read()
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def sha256_hex(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _quote(text: str) -> str:
    return encode(text.encode()).decode()
