"""Where an attempt's time went, and which address it went to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.certificates import Authority

from elasticlake.delivery.attempt import Request, Sender
from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.model.egress import EgressPolicy

pytestmark = pytest.mark.both_loops

POLICY = EgressPolicy(allow=(ip_network("127.0.0.0/8"), ip_network("::1/128")), allow_http=True)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def answer_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.05)
            writer.write(ANSWER)
    writer.close()


async def receiver(ip: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(answer_slowly, ip, 0, ssl=tls)
    return server, server.sockets[0].getsockname()[1]


def sender(tls: ssl.SSLContext | None = None, **names: list[str]) -> Sender:
    def lookup(name: str) -> list[str]:
        time.sleep(0.05)
        return names[name.removesuffix(".test")]

    return Sender(POLICY, version="1", resolver=BoundedResolver(lookup), tls=tls)


def request(url: str, deadline_seconds: float = 5.0) -> Request:
    return Request(url, (), b"", deadline_seconds)


async def test_a_kept_connection_takes_the_answers_time_alone():
    server, port = await receiver()
    async with server, sender(app=["127.0.0.1"]) as sending:
        fresh, kept = [await sending.send(request(f"http://app.test:{port}/")) for _ in range(2)]
    for result in (fresh, kept):
        assert result.succeeded
        assert result.address == f"127.0.0.1:{port}"
        assert result.timings is not None
        assert result.timings.tls_ms is None
        assert 40 < (result.timings.first_byte_ms or 0) < result.duration_seconds * 1000
    assert fresh.timings is not None
    assert 40 < (fresh.timings.dns_ms or 0) < fresh.duration_seconds * 1000 - 40
    assert 0 < (fresh.timings.connect_ms or 0) < 1000
    assert kept.timings is not None
    assert (kept.timings.dns_ms, kept.timings.connect_ms) == (None, None)


async def test_an_address_in_the_url_asks_no_name_server():
    server, port = await receiver("::1")
    async with server, sender() as sending:
        result = await sending.send(request(f"http://[::1]:{port}/"))
    assert result.address == f"[::1]:{port}"
    assert result.timings is not None
    assert result.timings.dns_ms is None
    assert result.timings.connect_ms is not None


async def test_tls_is_timed_apart(tmp_path: Path):
    authority = Authority("ours")
    pair, file = authority.issue("server"), tmp_path / "server.pem"
    file.write_text(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    server, port = await receiver(tls=context)
    trusting = ssl.create_default_context(cadata=authority.certificate)
    async with server, sender(trusting) as sending:
        fresh, kept = [await sending.send(request(f"https://127.0.0.1:{port}/")) for _ in range(2)]
        assert fresh.timings is not None
        assert (fresh.timings.tls_ms or 0) > 0.1
        assert kept.timings is not None
        assert kept.timings.tls_ms is None
    server, port = await receiver(tls=context)
    async with server, sender() as sending:
        refused = await sending.send(request(f"https://127.0.0.1:{port}/"))
    assert refused.error_class == "tls"
    assert refused.timings is not None
    assert (refused.timings.tls_ms, refused.timings.first_byte_ms) == (None, None)
    assert refused.timings.connect_ms is not None


async def test_what_did_not_end_has_no_time():
    async with sender(gone=[], app=["127.0.0.1"]) as sending:
        unknown = await sending.send(request("http://gone.test/"))
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            unreachable = await sending.send(request(f"http://app.test:{port}/"))
        refused = await sending.send(request("ftp://app.test/"))
    assert unknown.timings is not None
    assert (unknown.error_class, unknown.timings.dns_ms, unknown.address) == ("dns", None, None)
    assert unreachable.timings is not None
    assert (unreachable.error_class, unreachable.address) == ("connect", f"127.0.0.1:{port}")
    assert (unreachable.timings.dns_ms is None, unreachable.timings.connect_ms) == (False, None)
    assert (refused.timings, refused.address) == (None, None)


@contextlib.contextmanager
def silence(port: int) -> Iterator[None]:
    """Nobody answers at 127.0.0.2: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.2", port))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.2", port))
        yield


async def test_a_silent_address_takes_little_of_the_deadline():
    server, port = await receiver()
    with silence(port):
        async with server, sender(app=["127.0.0.2", "127.0.0.1"]) as sending:
            result = await sending.send(request(f"http://app.test:{port}/", 3.0))
            await asyncio.sleep(0.01)
            assert (result.succeeded, sending.open_sockets) == (True, 1)
    assert result.address == f"127.0.0.1:{port}"
    assert result.timings is not None
    assert 240 < (result.timings.connect_ms or 0) < 1500


async def test_a_silent_address_alone_is_a_timeout():
    server, port = await receiver()
    with silence(port):
        async with server, sender(app=["127.0.0.2"]) as sending:
            result = await sending.send(request(f"http://app.test:{port}/", 0.4))
            await asyncio.sleep(0.01)
            assert (result.error_class, sending.open_sockets) == ("timeout", 0)
    assert result.address == f"127.0.0.2:{port}"
    assert result.duration_seconds < 1.5
