"""One attempt against receivers over real sockets: good ones, slow ones, broken ones and hostile ones."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import resource
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from elasticlake.delivery.answer import BODY_CAP_BYTES
from elasticlake.delivery.attempt import Request, Result, Sender
from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.errors import Unavailable
from elasticlake.model.egress import EgressPolicy

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DEVELOPER = EgressPolicy(developer=True)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"

pytestmark = pytest.mark.both_loops


@contextlib.asynccontextmanager
async def receiver(handle: Handler) -> AsyncIterator[int]:
    """A receiver on a free port; its connections are cut when the test is over."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handle(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, list[tuple[str, str]], bytes]:
    """The request line, the headers as sent, the body."""
    line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip("\r\n").split("\r\n")
    headers = [(name, value.strip()) for name, value in (header.split(":", 1) for header in fields)]
    length = int(next(value for name, value in headers if name.lower() == "content-length"))
    return line, headers, await reader.readexactly(length)


def answering(*pieces: bytes, pause_seconds: float = 0.0, then_close: bool = True) -> Handler:
    """A receiver that reads a request and writes the pieces, pausing before each but the first."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause_seconds)
            writer.write(piece)
            await writer.drain()
        if then_close:
            writer.close()

    return handle


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def sender(policy: EgressPolicy = DEVELOPER, **rest: object) -> Sender:
    return Sender(policy, version="1.2.3", **rest)  # type: ignore[arg-type]


def request(port: int, body: bytes = b"{}", deadline_seconds: float = 5.0, path: str = "/hook") -> Request:
    return Request(f"http://127.0.0.1:{port}{path}", (("Content-Type", "application/json"),), body, deadline_seconds)


async def attempt(handle: Handler, **rest: object) -> Result:
    async with receiver(handle) as port, sender() as sending:
        return await sending.send(request(port, **rest))  # type: ignore[arg-type]


# --- what is sent


async def test_the_request_is_exactly_what_was_asked():
    seen = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)

    body = bytes(range(256))
    async with receiver(handle) as port, sender() as sending:
        result = await sending.send(request(port, body, path="/h%2Fook/~a?token={x}&b=%7e"))
    line, headers, received = seen[0]
    assert line == "POST /h%2Fook/~a?token={x}&b=%7e HTTP/1.1"
    assert headers == [
        ("Host", f"127.0.0.1:{port}"),
        ("User-Agent", "ElasticLake/1.2.3 (webhooks)"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Content-Type", "application/json"),
        ("Content-Length", "256"),
    ]
    assert received == body
    assert result.succeeded
    assert (result.status_code, result.response_body) == (200, b"OK")


async def test_no_proxy_of_the_environment_is_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await attempt(answering(OK))).succeeded


async def test_no_cookie_comes_back():
    seen = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n")

    async with receiver(handle) as port, sender() as sending:
        for _ in range(2):
            assert (await sending.send(request(port))).succeeded
    assert [name for _, headers, _ in seen for name, _ in headers if name.lower() == "cookie"] == []


# --- answers


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_2xx_succeeds(status):
    result = await attempt(
        answering(b"HTTP/1.1 %d X\r\n%s\r\n" % (status, b"" if status == 204 else b"Content-Length: 0\r\n"))
    )
    assert (result.status_code, result.error_class, result.error, result.succeeded) == (status, None, None, True)


@pytest.mark.parametrize(
    ("status", "error_class"), [(400, "status"), (410, "status"), (500, "status"), (101, "status")]
)
async def test_another_status_fails_with_what_the_receiver_said(status, error_class):
    answer = b"HTTP/1.1 %d X\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nnope" % status
    result = await attempt(answering(answer))
    assert (result.status_code, result.error_class, result.retry_after) == (status, error_class, "7")
    assert result.response_body == (b"" if status == 101 else b"nope")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_fails_and_is_never_followed(status):
    visits = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(await read_request(reader))
        writer.write(OK)

    async with receiver(elsewhere) as other_port:
        location = b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % (
            status,
            other_port,
        )
        result = await attempt(answering(location))
    assert (result.status_code, result.error_class) == (status, "redirect")
    assert visits == []


async def test_informational_responses_are_passed_over():
    assert (await attempt(answering(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 3 + OK))).status_code == 200


async def test_headers_arrive_as_text_in_order_even_if_they_are_none():
    result = await attempt(answering(b"HTTP/1.1 200 OK\r\nX-B: 1\r\nX-A: \xff\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n"))
    assert result.response_headers == (("X-B", "1"), ("X-A", "\ufffd"), ("X-B", "2"), ("Content-Length", "0"))


async def test_recorded_headers_are_bounded():
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 4000) for number in range(10))
    result = await attempt(answering(b"HTTP/1.1 200 OK\r\n" + many + b"Content-Length: 0\r\n\r\n"))
    assert result.succeeded
    assert [name for name, _ in result.response_headers] == ["X-0", "X-1", "X-2", "X-3"]


@pytest.mark.parametrize("size", [0, 1, BODY_CAP_BYTES - 1, BODY_CAP_BYTES, BODY_CAP_BYTES + 1, 1_000_000])
async def test_the_first_16_kib_of_the_body_are_kept(size):
    body = bytes(number % 251 for number in range(size))
    result = await attempt(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body))
    assert result.succeeded
    assert result.response_body == body[:BODY_CAP_BYTES]


async def test_a_gibibyte_is_not_read():
    written = 0
    cut = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        try:
            while written < 1 << 30:
                writer.write(bytes(65536))
                await writer.drain()
                written += 65536
        finally:
            cut.set()

    async with receiver(handle) as port, sender() as sending:
        result = await sending.send(request(port))
        assert result.succeeded
        assert len(result.response_body) == BODY_CAP_BYTES
        await asyncio.wait_for(cut.wait(), 5)
    assert written < 32 << 20


async def test_a_gzip_bomb_stays_packed():
    bomb = gzip.compress(bytes(8 << 20))
    result = await attempt(
        answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
    )
    assert result.succeeded
    assert result.response_body == bomb[:BODY_CAP_BYTES]


# --- one deadline


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("handle", "status"),
    [
        (hang, None),
        (answering(*(bytes([byte]) for byte in OK), pause_seconds=0.05), None),
        (answering(b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n"] * 90, pause_seconds=0.05), None),
        (answering(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100, pause_seconds=0.05), None),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 100, pause_seconds=0.05), 200),
        (answering(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 100, pause_seconds=0.05), 200),
    ],
    ids=["hangs", "status line drips", "headers drip", "endless 100s", "body drips", "body without an end drips"],
)
async def test_the_deadline_is_absolute(handle, status):
    started = time.monotonic()
    result = await attempt(handle, deadline_seconds=0.4)
    assert time.monotonic() - started < 2
    assert (result.status_code, result.error_class) == (status, "timeout")
    assert not result.succeeded
    assert 0.3 < result.duration_seconds < 1.5


async def test_a_body_in_time_succeeds_however_many_pieces():
    drip = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", *[b"x"] * 5, pause_seconds=0.02)
    result = await attempt(drip)
    assert (result.succeeded, result.response_body) == (True, b"xxxxx")


async def test_a_refusal_counts_as_its_status_however_its_body_ends():
    drip = answering(b"HTTP/1.1 410 Gone\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 100, pause_seconds=0.05)
    result = await attempt(drip, deadline_seconds=0.3)
    assert (result.status_code, result.error_class) == (410, "status")
    assert result.response_body.startswith(b"x")


async def test_a_receiver_that_never_reads_is_a_timeout():
    result = await attempt(hang, body=bytes(1 << 20), deadline_seconds=0.4)
    assert result.error_class == "timeout"


async def test_looking_the_name_up_counts():
    resolver = BoundedResolver(lambda name: time.sleep(1) or ["127.0.0.1"])
    async with sender(resolver=resolver) as sending:
        result = await sending.send(Request("https://slow.test/", (), b"", 0.2))
    assert result.error_class == "timeout"


async def test_waiting_for_a_slot_does_not_count():
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.sleep(0.25)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async with receiver(slow) as port, sender(connection_limit=1) as sending:
        results = await asyncio.gather(*(sending.send(request(port, deadline_seconds=0.6)) for _ in range(4)))
    assert [result.error_class for result in results] == [None] * 4


async def test_cancelling_passes_through_and_frees_the_slot():
    async with receiver(hang) as stuck, receiver(answering(OK)) as good, sender(connection_limit=1) as sending:
        stopped = asyncio.create_task(sending.send(request(stuck)))
        await asyncio.sleep(0.1)
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped
        assert (await sending.send(request(good))).succeeded


# --- broken receivers


@pytest.mark.parametrize(
    ("answer", "status", "error_class"),
    [
        (b"", None, "reset"),
        (b"H", None, "reset"),
        (b"HTTP/1.1 200 OK\r\nX: ", None, "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 200, "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", 200, "reset"),
        (b"HTTP/1.1 500 X\r\nContent-Length: 100\r\n\r\nabc", 500, "status"),
        (b"\x00\xff\xfe hello\r\n\r\n", None, "protocol"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, "protocol"),
        (b"HTTP/1.1 banana\r\n\r\n", None, "protocol"),
        (b"HTTP/2 200\r\n\r\n", None, "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", None, "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", None, "protocol"),
        (b"HTTP/1.1 200 " + b"a" * 100_000, None, "protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", None, "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 10_000, None, "protocol"),
    ],
)
async def test_a_broken_answer_is_a_failure_of_its_class(answer, status, error_class):
    result = await attempt(answering(answer))
    assert (result.status_code, result.error_class) == (status, error_class)
    assert result.error
    assert "\n" not in result.error
    assert len(result.error) <= 300


async def test_a_chunk_that_breaks_the_framing_is_a_failure():
    broken = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", b"ZZ\r\n", pause_seconds=0.1)
    result = await attempt(broken, deadline_seconds=0.5)
    assert (result.status_code, result.error_class) == (200, "protocol")
    assert result.response_body == b"a"


async def test_a_reset_is_a_failure():
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        reset(writer)

    result = await attempt(handle)
    assert (result.status_code, result.error_class) == (None, "reset")


async def test_nobody_listening_is_a_failure_to_connect():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with sender() as sending:
            result = await sending.send(request(unused.getsockname()[1]))
    assert (result.error_class, result.status_code) == ("connect", None)


async def test_no_descriptor_left_is_our_own_fault():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with receiver(answering(OK)) as port, sender() as sending:
        with socket.socket() as lowest_free:
            number = lowest_free.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
        try:
            with pytest.raises(Unavailable, match="open files"):
                await sending.send(request(port))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert (await sending.send(request(port))).succeeded


# --- kept connections


class Keeping:
    """A receiver that keeps connections, counts them, and drops each after `serves` requests as `ending` says."""

    def __init__(self, serves: int, ending: str) -> None:
        self.serves, self.ending = serves, ending
        self.connections = 0
        self.requests = 0
        self.answered = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for _ in range(self.serves):
            await read_request(reader)
            self.requests += 1
            writer.write(OK)
            self.answered += 1
        if self.ending == "between":
            return writer.close()
        await read_request(reader)
        self.requests += 1
        if self.ending == "midway":
            writer.write(b"HTTP/1.1 2")
            await writer.drain()
            await asyncio.sleep(0.05)
        if self.ending == "reset":
            reset(writer)
        writer.close()


async def test_a_connection_is_kept():
    keeping = Keeping(100, "between")
    async with receiver(keeping) as port, sender() as sending:
        for _ in range(100):
            assert (await sending.send(request(port))).succeeded
    assert keeping.connections == 1


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_kept_connection_closed_unanswered_is_tried_once_more_at_once(ending):
    keeping = Keeping(1, ending)
    async with receiver(keeping) as port, sender() as sending:
        results = [await sending.send(request(port)) for _ in range(4)]
    assert [result.error_class for result in results] == [None] * 4
    assert keeping.answered == 4


async def test_a_connection_closed_between_requests_is_replaced():
    keeping = Keeping(1, "between")
    async with receiver(keeping) as port, sender() as sending:
        for _ in range(3):
            assert (await sending.send(request(port))).succeeded
            await asyncio.sleep(0.02)
    assert keeping.requests == 3


async def test_a_fresh_connection_closed_unanswered_is_not_tried_again():
    keeping = Keeping(0, "close")
    async with receiver(keeping) as port, sender() as sending:
        assert (await sending.send(request(port))).error_class == "reset"
    assert keeping.requests == 1


async def test_an_answer_that_had_begun_is_not_asked_for_again():
    keeping = Keeping(1, "midway")
    async with receiver(keeping) as port, sender() as sending:
        assert (await sending.send(request(port))).succeeded
        assert (await sending.send(request(port))).error_class == "reset"
    assert keeping.requests == 2


async def test_the_second_try_is_under_the_same_deadline():
    first = True

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        if not first:
            await asyncio.sleep(60)
        first = False
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        await asyncio.sleep(0.3)
        writer.close()

    async with receiver(handle) as port, sender() as sending:
        await sending.send(request(port))
        result = await sending.send(request(port, deadline_seconds=0.6))
    assert result.error_class == "timeout"
    assert result.duration_seconds < 0.9


async def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one():
    requests = 0

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while True:
            await read_request(reader)
            requests += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % requests)
            await asyncio.sleep(0.02)
            writer.write(OK)

    async with receiver(twice) as port, sender() as sending:
        for number in range(1, 4):
            assert (await sending.send(request(port))).response_body == b"%d" % number
            await asyncio.sleep(0.05)


async def test_idle_connections_are_bounded():
    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(OK)

    async with contextlib.AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(receiver(keep)) for _ in range(20)]
        sending = await stack.enter_async_context(sender(connection_limit=4))
        for port in ports:
            assert (await sending.send(request(port))).succeeded
        assert sending.open_sockets <= 3 * 4


async def test_a_receiver_that_resets_handshakes_leaves_no_socket_behind():
    """Else the budget of connections would be spent on none, and no webhook's would be kept any more."""

    async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Sender(EgressPolicy(developer=True), version="0") as sender, server:
        for _ in range(20):
            result = await sender.send(Request(f"https://127.0.0.1:{port}/", (), b"{}", 5))
            assert result.error_class in ("tls", "connect", "reset")
        await asyncio.sleep(0.05)
        assert sender.open_sockets == 0
