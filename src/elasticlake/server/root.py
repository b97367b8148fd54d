"""The one port's front door: which application answers a request."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Root:
    """Routes by Host first (a bucket of its own), then `/v1` to the REST API, `/ui` to the dashboard, and all else to
    S3."""

    def __init__(
        self,
        s3: Application,
        api: Application,
        dashboard: Application,
        domains: tuple[str, ...],
        trusted_proxies: tuple[str, ...],
    ) -> None:
        self._s3 = s3
        self._api = api
        self._dashboard = dashboard
        self._domains = tuple(f".{domain}".encode() for domain in domains)
        self._proxies = [ipaddress.ip_network(text, strict=False) for text in trusted_proxies]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if self._proxies:
            self._believe_proxy(scope)
        path: bytes = scope["raw_path"]
        if self._domains and self._is_virtual_host(scope):
            await self._s3(scope, receive, send)
        elif path.startswith(b"/v1/") or path == b"/v1":
            await self._api(scope, receive, send)
        elif path.startswith(b"/ui/") or path == b"/ui":
            await self._dashboard(scope, receive, send)
        elif path == b"/" and _is_browser(scope):
            await _redirect(send, b"/ui/")
        else:
            await self._s3(scope, receive, send)

    def _is_virtual_host(self, scope: Scope) -> bool:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return bool(host.lower().rsplit(b":", 1)[0].endswith(self._domains))

    def _believe_proxy(self, scope: Scope) -> None:
        """Take the scheme and the client's address from a proxy that the operator trusts."""
        client = scope.get("client")
        if client is None or not self._is_proxy(client[0]):
            return
        headers = dict(scope["headers"])
        scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1")
        if scheme in ("http", "https"):
            scope["scheme"] = scheme
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")[-1].strip()
        if forwarded:
            scope["client"] = (forwarded, 0)

    def _is_proxy(self, host: str) -> bool:
        address = ipaddress.ip_address(host)
        # A socket that listens at [::] sees an IPv4 client as ::ffff:192.0.2.1.
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any((mapped or address) in network for network in self._proxies)


def _is_browser(scope: Scope) -> bool:
    """Whether a person looks: an S3 client asks for no HTML, and signs what it asks for."""
    headers = dict(scope["headers"])
    asks = b"text/html" in headers.get(b"accept", b"") and not scope["query_string"]
    return asks and scope["method"] == "GET" and b"authorization" not in headers


async def _redirect(send: Any, location: bytes) -> None:
    headers = [(b"location", location), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
