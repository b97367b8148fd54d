"""A connection over real sockets: long requests, early answers, talk that nobody asked for, and ends of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from elasticlake.clock import SystemClock
from elasticlake.delivery.answer import Answer
from elasticlake.delivery.connection import PIECE_BYTES, Connection, ConnectionEnded

pytestmark = pytest.mark.both_loops

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
LARGE = bytes(1 << 20)
BEYOND_BUFFERS = bytes(32 << 20)


class Peer:
    """The other end: a plain socket, so that each test says what it does and when."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._loop = asyncio.get_running_loop()

    async def accept(self) -> None:
        self.socket, _ = await self._loop.sock_accept(self._listening)
        self.socket.setblocking(False)

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.socket, data)

    async def receive(self, size: int) -> bytes:
        received = b""
        while len(received) < size and (data := await self._loop.sock_recv(self.socket, size - len(received))):
            received += data
        return received

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[Connection, Peer]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        loop, peer = asyncio.get_running_loop(), Peer(listening)
        opened = socket.socket()
        opened.setblocking(False)
        await loop.sock_connect(opened, listening.getsockname())
        await peer.accept()
        connection = Connection("127.0.0.1:1", opened, SystemClock())
        await loop.create_connection(lambda: connection, sock=opened)
        try:
            yield connection, peer
        finally:
            connection.abort()
            peer.socket.close()
            await asyncio.sleep(0.01)
            assert opened.fileno() == -1


async def exchange(connection: Connection, body: bytes = b"", seconds: float = 5.0) -> Answer:
    answer = Answer()
    await connection.exchange(HEAD, body, answer, asyncio.get_running_loop().time() + seconds)
    return answer


async def test_one_exchange_follows_another():
    async with connected() as (connection, peer):
        for body in (b"", b"a", bytes(PIECE_BYTES), bytes(PIECE_BYTES + 1), LARGE):
            asking = asyncio.create_task(exchange(connection, body))
            assert await peer.receive(len(HEAD) + len(body)) == HEAD + body
            await peer.send(OK)
            assert bytes((await asking).body) == b"OK"
            assert connection.is_usable


async def test_an_answer_in_the_midst_of_a_long_request_is_one():
    async with connected() as (connection, peer):
        asking = asyncio.create_task(exchange(connection, BEYOND_BUFFERS))
        await peer.receive(1000)
        await peer.send(TOO_LARGE)
        assert (await asking).status == 413
        assert not connection.is_usable


async def test_an_answer_and_a_reset_in_the_midst_of_a_long_request_is_one():
    for _ in range(20):
        async with connected() as (connection, peer):
            asking = asyncio.create_task(exchange(connection, LARGE))
            await peer.receive(PIECE_BYTES)
            await peer.send(TOO_LARGE)
            # What it has not read makes this a reset.
            peer.socket.close()
            assert (await asking).status == 413


async def test_a_request_waits_for_its_receiver_piece_by_piece():
    async with connected() as (connection, _):
        asking = asyncio.create_task(exchange(connection, BEYOND_BUFFERS, 0.3))
        await asyncio.sleep(0.1)
        assert connection._transport is not None
        assert 0 < connection._transport.get_write_buffer_size() <= 3 * PIECE_BYTES
        with pytest.raises(TimeoutError):
            await asking
        assert not connection.is_usable


@pytest.mark.parametrize("talk", [b"H", OK])
async def test_talk_between_exchanges_ends_the_connection(talk):
    async with connected() as (connection, peer):
        asking = asyncio.create_task(exchange(connection))
        await peer.receive(len(HEAD))
        await peer.send(OK)
        await asking
        assert connection.is_silent()
        await peer.send(talk)
        # Even before the loop has read it.
        assert not connection.is_silent()
        await asyncio.sleep(0.01)
        assert not connection.is_usable
        with pytest.raises(ConnectionEnded):
            await exchange(connection)


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_an_end_between_exchanges_is_seen(end):
    async with connected() as (connection, peer):
        asking = asyncio.create_task(exchange(connection))
        await peer.send(OK)
        await asking
        peer.reset() if end == "reset" else peer.socket.close()
        assert not connection.is_silent()
        await asyncio.sleep(0.01)
        assert not connection.is_usable


@pytest.mark.both_loops
@pytest.mark.parametrize("talk", [b"SSH-2.0-OpenSSH\r\n", OK, OK[:10]])
async def test_what_is_said_before_we_ask_is_no_answer(talk):
    """A whole answer above all: nothing was sent, so nothing was delivered."""
    async with connected() as (connection, peer):
        await peer.send(talk)
        await asyncio.sleep(0.02)
        answer = await exchange(connection)
        assert (answer.fault, answer.status) == ("the receiver spoke before it was asked", None)
        assert not connection.is_usable


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_an_end_before_the_answers_is_one(end):
    async with connected() as (connection, peer):
        asking = asyncio.create_task(exchange(connection))
        await peer.receive(len(HEAD))
        await peer.send(OK[:-1])
        await asyncio.sleep(0.01)
        peer.reset() if end == "reset" else peer.socket.close()
        with pytest.raises(ConnectionEnded) as ended:
            await asking
        assert (ended.value.reason is not None) == (end == "reset")


async def test_the_first_byte_is_timed():
    async with connected() as (connection, peer):
        asking = asyncio.create_task(exchange(connection))
        await asyncio.sleep(0.05)
        assert connection.first_byte_seconds is None
        await peer.send(OK[:1])
        await asyncio.sleep(0.05)
        await peer.send(OK[1:])
        await asking
        assert connection.first_byte_seconds is not None
        assert 0.04 < connection.first_byte_seconds < 5


async def test_giving_up_ends_the_connection():
    async with connected() as (connection, peer):
        asking = asyncio.create_task(exchange(connection, LARGE))
        await peer.receive(10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not connection.is_usable
