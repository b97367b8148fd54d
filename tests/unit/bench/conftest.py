"""Fixtures of the bench's tests: the null server, a scripted HTTP server, the receiver."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench.client import Request
from bench.inbox import InboxClient, running_receiver
from bench.server import Server, null_server
from bench.target import Target

Scripted = Callable[[list[list[bytes]]], Target]


class Fixed:
    """A source of a fixed list of requests."""

    def __init__(self, *requests: Request) -> None:
        self._requests = list(requests)
        self.ended: list[tuple[str, bool]] = []

    def next(self) -> Request | None:
        return self._requests.pop(0) if self._requests else None

    def done(self, request: Request, succeeded: bool) -> None:
        self.ended.append((request.key, succeeded))


@pytest.fixture(scope="module")
def null(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with null_server(tmp_path_factory.mktemp("null"), "us-east-1") as server:
        yield server


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[InboxClient]:
    with running_receiver(tmp_path) as client:
        yield client


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server that gives each connection its own list of answers, one for each request, and then closes it."""
    with ExitStack() as stack:

        def start(connections: list[list[bytes]]) -> Target:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=_serve, args=(listener, connections), daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            return Target("127.0.0.1", listener.getsockname()[1], "key", "secret")

        yield start


def _serve(listener: socket.socket, connections: list[list[bytes]]) -> None:
    for answers in connections:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            for answer in answers:
                received = b""
                while b"\r\n\r\n" not in received and (data := connection.recv(65536)):
                    received += data
                if not received:
                    break  # the client closed a connection that it never used
                # `|` marks where the answer is torn into separate packets.
                for piece in answer.split(b"|"):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.sendall(piece)
                    threading.Event().wait(0.02)
