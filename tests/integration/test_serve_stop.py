"""SIGTERM drains: what is under way ends well, and nothing is lost."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server

MIB = 1024 * 1024


class _WithoutBody(S3SigV4Auth):
    """Signs the head alone, since the body is not there yet."""

    def payload(self, request: AWSRequest) -> str:
        return "UNSIGNED-PAYLOAD"


def signed_headers(method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
    """`headers` and those of a signature that leaves the body out."""
    request = AWSRequest(method, url, headers)
    _WithoutBody(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "eu-central-1").add_auth(request)
    return dict(request.headers.items())


class SlowPut:
    """A PUT whose body comes in two halves, when the test says."""

    def __init__(self, server: Server, path: str, body: bytes) -> None:
        self.rest = body[len(body) // 2 :]
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.connection.putrequest("PUT", path, skip_host=True)
        headers = signed_headers("PUT", server.url + path, {"Host": server.address})
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.connection.putheader(name, value)
        self.connection.endheaders(body[: len(body) // 2])

    def finish(self) -> int:
        self.connection.send(self.rest)
        response = self.connection.getresponse()
        response.read()
        return response.status


def test_a_put_under_way_at_sigterm_is_stored(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    s3_client(server).create_bucket(Bucket="slow")
    bodies = {"small": b"ab" * 1000, "large": b"cd" * MIB}
    puts = {key: SlowPut(server, f"/slow/{key}", body) for key, body in bodies.items()}
    time.sleep(0.3)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.7)
    assert server.is_running
    assert [put.finish() for put in puts.values()] == [200, 200]
    assert server.process.wait(10) == 0
    server.start()
    for key, body in bodies.items():
        assert s3_client(server).get_object(Bucket="slow", Key=key)["Body"].read() == body
    assert "error" not in server.log


def test_a_server_that_stops_takes_no_connection_that_it_would_not_answer(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    s3_client(server).create_bucket(Bucket="slow")
    put = SlowPut(server, "/slow/key", b"ab" * 1000)
    time.sleep(0.3)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    # Whoever shares requests out among servers goes to another one as soon as this one refuses.
    assert eventually(lambda: is_refused(server.port))
    assert server.is_running
    assert put.finish() == 200
    assert server.process.wait(10) == 0


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_long_poll_ends_at_sigterm(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    s3_client(server).create_bucket(Bucket="quiet")
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(server.request, "GET", "/v1/buckets/quiet/events?after=0&wait=30")
        time.sleep(0.5)
        started = time.monotonic()
        assert server.stop() == 0
        assert poll.result(5)["items"] == []
        assert time.monotonic() - started < 5


def test_an_idle_server_stops_at_once_and_quietly(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    idle = http.client.HTTPConnection("127.0.0.1", server.port)
    idle.request("GET", "/v1/health")
    assert idle.getresponse().read()
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 3
    assert server.log == ""


def test_ctrl_c_stops_the_whole_tree_quietly(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    assert server.process is not None
    for pid in reversed(server.pids()):  # a terminal sends it to every process of the group
        os.kill(pid, signal.SIGINT)
    assert server.process.wait(10) == 0
    assert server.log == ""


def test_what_was_not_delivered_at_sigterm_is_after_the_next_start(spawn: Spawn) -> None:
    released = threading.Event()

    def answer(_: int) -> int:
        return 200 if released.wait(20) else 500

    receiver = Receiver(answer)
    server = spawn()
    server.start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket="later")
    hook: dict[str, Any] = {"bucket": "later", "endpoint": receiver.url(), "events": ["object:created"]}
    server.request("POST", "/v1/webhooks", hook)
    for number in range(20):
        s3.put_object(Bucket="later", Key=f"k{number}", Body=b"")
    receiver.wait_for(1)
    server.stop()
    released.set()
    server.start()
    receiver.wait_for(20)
    events = {received.event["object"]["key"] for received in receiver.wait_for(20)}
    give_up_at = time.monotonic() + 15
    while len(events) < 20 and time.monotonic() < give_up_at:
        time.sleep(0.1)
        events = {received.event["object"]["key"] for received in receiver.requests}
    assert events == {f"k{number}" for number in range(20)}
    receiver.close()
