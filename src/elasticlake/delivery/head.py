"""What the requests to an endpoint have in common: where they go, and how they begin."""

from __future__ import annotations

from collections.abc import Iterable

from elasticlake.model.endpoint import DEFAULT_PORTS, Endpoint, parse_endpoint
from elasticlake.record import record

Headers = Iterable[tuple[str, str]]


@record
class Head:
    """The first lines of each request to one URL."""

    endpoint: Endpoint
    lines: bytes
    """The request line, `Host`, and the headers of every attempt."""

    def request(self, headers: tuple[tuple[str, str], ...], body_bytes: int, *, keep: bool) -> bytes:
        """A request up to its body; without `keep`, it says that the connection closes after it.

        Raises ValueError for a header that would be more than one line.
        """
        last = b"" if keep else b"Connection: close\r\n"
        return b"%b%bContent-Length: %d\r\n%b\r\n" % (self.lines, _encode(headers), body_bytes, last)


def head_of(url: str, standing: tuple[tuple[str, str], ...]) -> Head:
    """The head for a URL that `parse_endpoint` takes; path and query are sent as they are written."""
    endpoint = parse_endpoint(url)
    authority, path, query = _parts(url)
    opening = f"POST {path or '/'}{f'?{query}' if query else ''} HTTP/1.1\r\nHost: {_host(endpoint, authority)}\r\n"
    return Head(endpoint, opening.encode("ascii") + _encode(standing))


def _parts(url: str) -> tuple[str, str, str]:
    """Authority, path and query."""
    before, _, query = url.partition("://")[2].partition("?")
    authority, slash, path = before.partition("/")
    return authority, slash + path, query


def _host(endpoint: Endpoint, authority: str) -> str:
    """The host as it is written, without the dot of an absolute name (receivers know none), and the port unless it is
    the scheme's own (RFC 9110, section 7.2)."""
    written = authority[: authority.index("]") + 1] if authority.startswith("[") else authority.partition(":")[0]
    host = written.rstrip(".")
    return host if endpoint.port == DEFAULT_PORTS[endpoint.scheme] else f"{host}:{endpoint.port}"


def _encode(headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    count = len(headers)
    if lines.count("\n") != count or lines.count("\r") != count or "\0" in lines:
        raise ValueError("a header has a control character")
    return lines.encode()
