"""One system call for an answer: a head waits for its body, and for nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn

from elasticlake.server.protocol import HeadHolder, Protocol

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps each send."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 5)})
        self.sends: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.sends.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.sends.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize("size_bytes", [0, 1, 65536, 65537, 1_000_000])
def test_a_head_and_its_body_are_one_send(wire: Wire, size_bytes: int) -> None:
    holder, body = HeadHolder(wire), b"b" * size_bytes
    holder.write(HEAD)
    assert wire.sends == []
    holder.write(body)
    assert wire.sends == [HEAD + body]


def test_what_follows_the_first_piece_of_a_body_goes_at_once(wire: Wire) -> None:
    holder = HeadHolder(wire)
    for piece in (HEAD, b"one", b"two", b""):
        holder.write(piece)
    assert wire.sends == [HEAD + b"one", b"two"]


def test_an_interim_head_goes_at_once(wire: Wire) -> None:
    holder = HeadHolder(wire)
    holder.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert wire.sends == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    holder.write(HEAD)
    holder.write(b"body")
    assert wire.sends[1:] == [HEAD + b"body"]


def test_a_body_that_looks_like_a_head_loses_nothing(wire: Wire) -> None:
    holder = HeadHolder(wire)
    for piece in (HEAD, b"one", b"HTTP/1.1 200 is what this object holds", b"more", HEAD):
        holder.write(piece)
    holder.flush()
    assert b"".join(wire.sends) == HEAD + b"oneHTTP/1.1 200 is what this object holdsmore" + HEAD


def test_a_flush_sends_a_head_without_a_body_once(wire: Wire) -> None:
    holder = HeadHolder(wire)
    holder.write(HEAD)
    holder.flush()
    holder.flush()
    assert wire.sends == [HEAD]


def test_closing_sends_what_is_held(wire: Wire) -> None:
    holder = HeadHolder(wire)
    holder.write(HEAD)
    holder.close()
    assert (wire.sends, wire.closed) == ([HEAD], True)


def test_everything_else_is_the_transports_own(wire: Wire) -> None:
    holder = HeadHolder(wire)
    assert holder.get_extra_info("peername") == ("192.0.2.7", 5)
    assert holder.is_closing() is False


async def speak(request: bytes, application: Any) -> tuple[Wire, Protocol]:
    """What a connection of ours answers to the bytes."""
    config = uvicorn.Config(application, http=Protocol, lifespan="off", interface="asgi3", log_config=None)
    config.load()
    state = uvicorn.server.ServerState()
    protocol, wire = Protocol(config, state, {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(request)
    await asyncio.wait_for(asyncio.gather(*state.tasks), 5)
    return wire, protocol


async def hello(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def test_an_answer_is_one_send() -> None:
    wire, _ = await speak(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", hello)
    assert len(wire.sends) == 1
    assert wire.sends[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert wire.sends[0].endswith(b"\r\n\r\nhi")


async def test_an_answer_to_head_is_sent_too() -> None:
    wire, _ = await speak(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", hello)
    assert len(wire.sends) == 1
    assert wire.sends[0].endswith(b"\r\n\r\n")


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    wire, _ = await speak(head + b"body", hello)
    assert wire.sends[0].startswith(b"HTTP/1.1 100 ")
    assert len(wire.sends) == 2


async def test_nonsense_is_answered_and_ended() -> None:
    wire, _ = await speak(b"\x00\x01nonsense\r\n\r\n", hello)
    assert b"".join(wire.sends).startswith(b"HTTP/1.1 400 ")
    assert wire.closed
