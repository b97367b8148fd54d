"""The sick receivers are as sick as they claim."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.processes import refused_port, search_path
from bench.server import UNANSWERED_NAMES
from bench.sick import SICK_WEBHOOKS, SickEndpoints, sick_endpoints

REQUEST = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def sick(tmp_path: Path) -> Iterator[SickEndpoints]:
    with sick_endpoints(tmp_path) as endpoints:
        yield endpoints


def asked(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), 5)
    connection.sendall(REQUEST)
    return connection


def test_one_hangs(sick: SickEndpoints) -> None:
    with asked(sick.ports["hanging"]) as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert sick.seen() == {"hanging": 1, "dripping": 0, "closing": 0}


def test_one_drips(sick: SickEndpoints) -> None:
    with asked(sick.ports["dripping"]) as connection:
        assert [connection.recv(100) for _ in range(2)] == [b"H", b"T"]
    assert sick.seen()["dripping"] == 1


def test_one_closes_what_it_promised_to_keep(sick: SickEndpoints) -> None:
    with asked(sick.ports["closing"]) as connection:
        answer = connection.recv(1000)
        connection.sendall(REQUEST)
        assert connection.recv(1000) == answer
        assert b"connection: close" not in answer.lower()
        assert connection.recv(1000) == b""
    assert sick.seen()["closing"] == 2


def test_one_refuses(sick: SickEndpoints) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sick.ports["refusing"]), 5)


def test_a_refused_port_can_be_that_of_a_receiver_that_has_just_ended() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # the side that closes first lingers
            assert client.recv(1) == b""
    with refused_port(port) as held:
        assert held == port


def test_each_webhook_that_is_not_resolved_has_a_name_of_its_own(sick: SickEndpoints) -> None:
    urls = sick.urls(SICK_WEBHOOKS)
    assert len(urls) == 35
    assert len({url for url in urls if "unanswered" in url}) == 10


def test_a_name_that_nobody_answers_for_blocks_its_lookup_and_no_other() -> None:
    script = (
        "import socket, threading; name = 'endpoint-0.unanswered.invalid'; "
        "lost = threading.Thread(target=socket.getaddrinfo, args=(name, None), daemon=True); lost.start(); "
        "print(bool(socket.getaddrinfo('127.0.0.1', 80))); lost.join(0.5); print(lost.is_alive())"
    )
    environment = {**os.environ, "PYTHONPATH": search_path(UNANSWERED_NAMES)}
    printed = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True, timeout=20
    )
    assert printed.stdout.split() == [b"True", b"True"]
