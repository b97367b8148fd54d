"""TLS as a webhook asks for it, against real servers: client certificates and private authorities."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.certificates import Authority, Pair

from elasticlake.delivery.attempt import Request, Result, Sender
from elasticlake.delivery.tls_contexts import TlsContexts, WebhookTls, webhook_tls
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.webhooks import Sealed

OURS, THEIRS = Authority("ours"), Authority("theirs")
CLIENT = OURS.issue("client")
OF_OURS = Sealed(certificate_authority=OURS.certificate)
WITH_CLIENT = Sealed(
    client_certificate=CLIENT.certificate, client_key=CLIENT.key, certificate_authority=OURS.certificate
)
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"

pytestmark = pytest.mark.both_loops


@dataclass
class Endpoint:
    """A TLS server that answers 204, and who came: one entry for each connection, the client's name or None."""

    port: int = 0
    clients: list[str | None] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("peercert")
        self.clients.append(dict(pair[0] for pair in shown["subject"])["commonName"] if shown else None)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(ANSWER)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def endpoint(
    folder: Path, *, demands: Authority | None = None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> AsyncIterator[Endpoint]:
    """An endpoint whose certificate is of `OURS`; with `demands`, its clients must show one of that authority."""
    context = server_context(folder, OURS.issue("server"))
    context.maximum_version = newest
    if demands is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=demands.certificate)
    listening = Endpoint()
    server = await asyncio.start_server(listening.handle, "127.0.0.1", 0, ssl=context)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()


def server_context(folder: Path, pair: Pair) -> ssl.SSLContext:
    file = folder / "server.pem"
    file.write_text(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


def sender() -> Sender:
    return Sender(EgressPolicy(developer=True, allow=()), version="0")


async def attempt(sending: Sender, to: Endpoint, sealed: Sealed, webhook_id: str = "wh_1", revision: int = 1) -> Result:
    tls = webhook_tls(webhook_id, revision, sealed)
    return await sending.send(Request(f"https://127.0.0.1:{to.port}/", (), b"{}", 5.0, tls))


async def test_a_private_authority(tmp_path: Path) -> None:
    async with endpoint(tmp_path) as listening, sender() as sending:
        assert (await attempt(sending, listening, OF_OURS)).succeeded
        # Without it, and with another, the endpoint's certificate is nobody's that we know.
        for sealed in (Sealed(), Sealed(certificate_authority=THEIRS.certificate)):
            refused = await attempt(sending, listening, sealed, "wh_2")
            assert (refused.error_class, refused.status_code) == ("tls", None)
            assert "certificate verify failed" in (refused.error or "")
    assert listening.clients == [None]


# In TLS 1.3 a client's handshake ends before the server looks at its certificate: a server may then say what is wrong,
# or just cut the connection.
REFUSALS = {ssl.TLSVersion.TLSv1_2: {"tls"}, ssl.TLSVersion.TLSv1_3: {"tls", "reset"}}


@pytest.mark.parametrize("newest", REFUSALS)
async def test_a_client_certificate(tmp_path: Path, newest: ssl.TLSVersion) -> None:
    async with endpoint(tmp_path, demands=OURS, newest=newest) as listening, sender() as sending:
        assert (await attempt(sending, listening, WITH_CLIENT)).succeeded
        assert listening.clients == ["client"]
        missing = await attempt(sending, listening, OF_OURS, "wh_2")
        assert missing.error_class in REFUSALS[newest]
        assert missing.status_code is None


@pytest.mark.parametrize("newest", REFUSALS)
async def test_a_client_certificate_of_another_authority(tmp_path: Path, newest: ssl.TLSVersion) -> None:
    async with endpoint(tmp_path, demands=THEIRS, newest=newest) as listening, sender() as sending:
        assert (await attempt(sending, listening, WITH_CLIENT)).error_class in REFUSALS[newest]


async def test_connections_are_kept_and_never_shared_by_two_identities(tmp_path: Path) -> None:
    other = OURS.issue("other")
    also = Sealed(client_certificate=other.certificate, client_key=other.key, certificate_authority=OURS.certificate)
    async with endpoint(tmp_path, demands=OURS) as listening, sender() as sending:
        for _ in range(3):
            assert (await attempt(sending, listening, WITH_CLIENT, "wh_1")).succeeded
            assert (await attempt(sending, listening, also, "wh_2")).succeeded
        assert listening.clients == ["client", "other"]
        # The same certificate, but another webhook, or another revision of the first.
        assert (await attempt(sending, listening, WITH_CLIENT, "wh_3")).succeeded
        assert (await attempt(sending, listening, WITH_CLIENT, "wh_1", 2)).succeeded
        assert listening.clients == ["client", "other", "client", "client"]


async def test_what_cannot_be_used_is_a_failed_attempt(tmp_path: Path) -> None:
    mixed = Sealed(client_certificate=OURS.issue().certificate, client_key=CLIENT.key)
    async with endpoint(tmp_path) as listening, sender() as sending:
        failed = await attempt(sending, listening, mixed)
    assert failed.error_class == "tls"
    assert (failed.error or "").startswith("the webhook's own TLS settings cannot be used: ")
    assert listening.clients == []


async def test_contexts_are_kept_for_those_used_last() -> None:
    contexts = TlsContexts(limit=2)
    first, second, third = (WebhookTls(name, 1, OF_OURS) for name in ("wh_1", "wh_2", "wh_3"))
    kept, dropped = await contexts.of(first), await contexts.of(second)
    assert await contexts.of(first) is kept
    await contexts.of(third)
    assert await contexts.of(first) is kept
    assert await contexts.of(second) is not dropped


async def test_two_that_ask_at_once_get_the_same() -> None:
    contexts = TlsContexts()
    one, other = await asyncio.gather(*(contexts.of(WebhookTls("wh_1", 1, OF_OURS)) for _ in range(2)))
    assert one is other


@pytest.mark.parametrize("sealed", [Sealed(), Sealed(next_secret="s", headers=(("A", "b"),))])
def test_most_webhooks_have_no_way_of_their_own(sealed: Sealed) -> None:
    assert webhook_tls("wh_1", 1, sealed) is None


def test_nothing_of_it_is_shown() -> None:
    assert "PRIVATE" not in repr(Request("https://a", (), b"", 1.0, webhook_tls("wh_1", 1, WITH_CLIENT)))
