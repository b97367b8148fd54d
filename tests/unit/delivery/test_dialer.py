"""The guard on the address dialled, names and literals alike, and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from elasticlake.clock import SystemClock
from elasticlake.delivery.attempt import Request, Result, Sender
from elasticlake.delivery.dialer import Dial, Dialer
from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.special_networks import SPECIAL_NETWORKS, SpecialNetwork

DEVELOPER = EgressPolicy(developer=True)
PRODUCTION = EgressPolicy()


@contextlib.asynccontextmanager
async def receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A receiver that says 200 to whatever comes; its port, and what came."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], received


async def attempt(policy: EgressPolicy, url: str, names: dict[str, list[str]] | None = None, **rest: object) -> Result:
    def lookup(name: str) -> list[str]:
        if name not in (names or {}):
            raise OSError(-2, "Name or service not known")
        return (names or {})[name]

    async with Sender(policy, version="1", resolver=BoundedResolver(lookup), **rest) as sending:  # type: ignore[arg-type]
        return await sending.send(Request(url, (), b"{}", 3.0))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fe80::1%lo",
        "0.0.0.0",
        "::",
    ],
)
async def test_a_name_that_leads_inside_is_refused_when_dialled(address):
    async with receiver() as (port, received):
        result = await attempt(PRODUCTION, f"https://rebind.test:{port}/", {"rebind.test": [address]})
    assert (result.error_class, result.status_code) == ("refused_address", None)
    assert result.error is not None
    assert result.error.startswith(address)
    assert received == []


def spellings(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[str]:
    """How a URL's host may name the address."""
    if isinstance(address, ipaddress.IPv6Address):
        return [f"[{address}]", f"[{address.exploded}]"]
    octets, number = address.packed, int(address)
    return [
        str(address),
        str(number),
        hex(number),
        ".".join(f"0{octet:o}" for octet in octets),
        f"{octets[0]}.{number & 0xFFFFFF}",
        f"[::ffff:{address}]",
    ]


@pytest.mark.parametrize("special", SPECIAL_NETWORKS, ids=lambda special: str(special.network))
async def test_no_special_network_is_ever_dialled(special: SpecialNetwork, monkeypatch: pytest.MonkeyPatch):
    """Both ends of each block, however they are spelled, and as what a name resolves to: at once, or after it led to an
    ordinary address a moment before."""
    dialled: list[object] = []

    async def dial(_: object, _socket: socket.socket, address: object) -> None:
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop().__class__, "sock_connect", dial, raising=False)
    monkeypatch.setattr("elasticlake.delivery.resolver.FOUND_SECONDS", 0.0)
    answers: list[list[str]] = []
    async with Sender(PRODUCTION, version="1", resolver=BoundedResolver(lambda _: answers.pop(0))) as sender:

        async def error_class(host: str) -> str | None:
            return (await sender.send(Request(f"https://{host}/", (), b"{}", 3.0))).error_class

        for address in (special.network[0], special.network[-1]):
            for host in spellings(address):
                assert await error_class(host) == "refused_address", host
            answers += [["8.8.8.8"], [str(address)]]
            assert await error_class("rebind.test") == "connect"
            assert await error_class("rebind.test") == "refused_address", address
    assert {address[0] for address in dialled} == {"8.8.8.8"}  # type: ignore[index]


async def test_every_address_of_a_name_is_judged():
    names = {"inside.test": ["10.0.0.1", "127.0.0.1", "::1"]}
    result = await attempt(PRODUCTION, "https://inside.test/", names)
    assert result.error_class == "refused_address"


async def test_an_allowed_address_is_dialled_though_another_is_refused():
    policy = EgressPolicy(allow=(ip_network("127.0.0.1/32"),), allow_http=True)
    async with receiver() as (port, received):
        result = await attempt(policy, f"http://mixed.test:{port}/", {"mixed.test": ["10.0.0.1", "127.0.0.1"]})
    assert result.succeeded
    assert len(received) == 1


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://2130706433/", "https://[::1]/", "http://myapp.test/", "https://user@myapp.test/"],
)
async def test_what_the_policy_refuses_in_a_url_is_never_dialled(url):
    assert (await attempt(PRODUCTION, url, {"myapp.test": ["8.8.8.8"]})).error_class == "refused_address"


async def test_a_developers_http_ends_at_loopback_and_before_our_own_port():
    async with receiver() as (port, received):
        assert (await attempt(DEVELOPER, f"http://app.localhost:{port}/")).succeeded
        own = EgressPolicy(developer=True, own_ports=frozenset({port}))
        for host in ("127.0.0.1", "localhost", "app.localhost"):
            assert (await attempt(own, f"http://{host}:{port}/")).error_class == "refused_address"
        named = await attempt(own, f"https://me.test:{port}/", {"me.test": ["127.0.0.1"]})
        assert named.error == f"127.0.0.1 port {port} is this server itself"
    assert len(received) == 1


async def test_an_unknown_name_is_a_dns_failure():
    result = await attempt(PRODUCTION, "https://gone.test/")
    assert (result.error_class, result.error) == ("dns", "gone.test: Name or service not known")


async def test_sockets_send_at_once_and_count_until_closed():
    dialer = Dialer(DEVELOPER, BoundedResolver(), SystemClock(), socket_budget=1)
    dial = Dial()
    assert not dialer.crowded()
    with dialer.open_socket("127.0.0.1", 1, dial, "http") as opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert (dial.opened, dialer.crowded()) == (1, True)
    assert not dialer.crowded()


# --- TLS


def make_certificate(directory: Path, name: str) -> ssl.SSLContext:
    """A self-signed certificate for `name`, kept in `directory/cert.pem`, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, encoding = directory / "cert.pem", serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    pem.write_bytes(certificate.public_bytes(encoding))
    (directory / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, directory / "key.pem")
    return context


async def test_a_certificate_must_be_trusted_and_name_the_host(tmp_path):
    async with receiver(make_certificate(tmp_path, "app.localhost")) as (port, received):
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        assert (await attempt(DEVELOPER, f"https://app.localhost:{port}/", tls=trusting)).succeeded
        other = await attempt(DEVELOPER, f"https://other.localhost:{port}/", tls=trusting)
        unknown = await attempt(DEVELOPER, f"https://app.localhost:{port}/")
    assert (other.error_class, unknown.error_class) == ("tls", "tls")
    assert "other.localhost" in (other.error or "")
    assert "self-signed" in (unknown.error or "")
    assert len(received) == 1


async def test_https_to_a_plain_port_is_a_tls_failure():
    async with receiver() as (port, _):
        assert (await attempt(DEVELOPER, f"https://127.0.0.1:{port}/")).error_class == "tls"


@pytest.mark.both_loops
async def test_what_refuses_is_named_in_the_same_words_by_every_event_loop():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
    result = await attempt(DEVELOPER, f"http://127.0.0.1:{port}/", {})
    assert (result.error_class, result.error) == ("connect", f"127.0.0.1:{port}: Connection refused")
