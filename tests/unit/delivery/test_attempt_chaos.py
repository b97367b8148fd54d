"""Attempts that are given up at any moment, and receivers that answer anything: nothing is left open, and each attempt
has a result in time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.certificates import Authority

from elasticlake.delivery.answer import Answer
from elasticlake.delivery.attempt import Request, Result, Sender
from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.model.egress import EgressPolicy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
CREATED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\nX: y\r\n\r\n"
DEADLINE_SECONDS = 0.5


async def answer_raggedly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    chance = random.Random(7)
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            await asyncio.sleep(chance.choice((0, 0.001, 0.005)))
            writer.write(OK[:20])
            await asyncio.sleep(chance.choice((0, 0.001)))
            writer.write(OK[20:])
            if chance.random() < 0.2:
                break
    writer.close()


@contextlib.asynccontextmanager
async def ragged(tmp_path: Path, is_secure: bool) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    authority = Authority("ours")
    pair, file = authority.issue("server"), tmp_path / "server.pem"
    file.write_text(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    server = await asyncio.start_server(answer_raggedly, "127.0.0.1", 0, ssl=context if is_secure else None)
    async with server:
        yield server.sockets[0].getsockname()[1], ssl.create_default_context(cadata=authority.certificate)


@pytest.mark.both_loops
@pytest.mark.parametrize("is_secure", [False, True])
async def test_given_up_at_any_moment_nothing_stays_open(tmp_path: Path, is_secure: bool):
    chance = random.Random(1)
    async with ragged(tmp_path, is_secure) as (port, trusting):
        resolver = BoundedResolver(lambda _: ["127.0.0.1"])
        async with Sender(
            EgressPolicy(developer=True, allow_http=True), version="1", tls=trusting, resolver=resolver
        ) as sending:
            # The receiver's certificate names an address, and localhost's second address has no receiver.
            url = f"https://127.0.0.1:{port}/" if is_secure else f"http://localhost:{port}/"
            ended = 0
            for _ in range(150):
                body = bytes(chance.choice((0, 10, 200_000)))
                attempt = asyncio.create_task(sending.send(Request(url, (), body, 5.0)))
                if chance.random() < 0.5:
                    for _ in range(chance.randrange(12)):
                        await asyncio.sleep(0)
                else:
                    await asyncio.sleep(chance.random() * 0.012)
                attempt.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    assert (await attempt).succeeded
                    ended += 1
            assert ended > 0
            assert (await sending.send(Request(url, (), b"", 5.0))).succeeded
            await eventually_open(sending, 1)
        await eventually_open(sending, 0)


async def eventually_open(sending: Sender, most: int) -> None:
    give_up_at = time.monotonic() + 3
    while sending.open_sockets > most:
        assert time.monotonic() < give_up_at, f"{sending.open_sockets} sockets are open"
        await asyncio.sleep(0.01)


async def attempt_at(pieces: list[bytes], closes: bool) -> tuple[Result, int]:
    """What comes of an attempt whose receiver writes the pieces, and how many connections stay open after it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if not closes:
                await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server, Sender(EgressPolicy(developer=True), version="1") as sending:
        port = server.sockets[0].getsockname()[1]
        result = await sending.send(Request(f"http://127.0.0.1:{port}/", (), b"", DEADLINE_SECONDS))
        await asyncio.sleep(0.01)  # transports close in a later turn of the loop
        return result, sending.open_sockets


def run_attempt_at(pieces: list[bytes], closes: bool) -> tuple[Result, int]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(attempt_at(pieces, closes))


quickly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def cut(draw: st.DrawFn, answer: bytes) -> list[bytes]:
    cuts = sorted(draw(st.sets(st.integers(1, len(answer) - 1), max_size=8)))
    return [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]


@quickly
@given(cut(CREATED))
def test_an_answer_in_any_pieces_is_one(pieces):
    result, _ = run_attempt_at(pieces, closes=False)
    assert (result.status_code, result.response_body, result.error) == (201, b"OK", None)


@quickly
@given(
    st.lists(st.binary(min_size=1, max_size=100) | st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"\r\n", OK]), max_size=6),
    st.booleans(),
)
def test_whatever_a_receiver_says_is_a_result_in_time(pieces, closes):
    result, open_sockets = run_attempt_at(pieces, closes)
    assert result.succeeded or result.error
    assert result.duration_seconds < DEADLINE_SECONDS + 2
    assert open_sockets <= (0 if result.status_code is None else 1)


async def test_attempts_leave_nothing_to_the_garbage_collector():
    server = await asyncio.start_server(answer_raggedly, "127.0.0.1", 0)
    unknown = BoundedResolver(lambda _: [])
    async with server, Sender(EgressPolicy(developer=True), version="1", resolver=unknown) as sending:
        port = server.sockets[0].getsockname()[1]
        urls = [f"http://127.0.0.1:{port}/", "https://gone.test/"]
        gc.collect()
        gc.disable()
        try:
            for number in range(40):
                await sending.send(Request(urls[number % 2], (), b"", 5.0))
            await asyncio.sleep(0.01)
            assert sum(type(one) is Answer for one in gc.get_objects()) <= 1
        finally:
            gc.enable()
