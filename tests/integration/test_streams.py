"""Live streams of a real server: readers that are slow, that go, and a server that stops."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import eventually
from tests.integration.server import API_TOKEN, Server

from elasticlake.server.gateway import DRAIN_SECONDS

BUCKET = "lake1--pond1--b"
LONG_TYPE = "text/" + "x" * 6000
PING = {"": "ping"}
PLACES = [f"buckets/{BUCKET}", "lakes/lake1", "lakes/lake1/ponds/pond1"]


def begin(server: Server, place: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"Authorization": f"Bearer {API_TOKEN}", "Accept": "text/event-stream", **headers}
    connection.request("GET", f"/v1/{place}/events", headers=headers)
    return connection.getresponse()


def message(response: http.client.HTTPResponse) -> dict[str, str]:
    """The next block of a stream that is no ping."""
    fields: dict[str, str] = {}
    while line := response.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields if fields != PING else message(response)


def filled(spawn: Spawn, count: int) -> tuple[Server, Any]:
    server = spawn().start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket=BUCKET)
    for number in range(count):
        s3.put_object(Bucket=BUCKET, Key=f"{number}", Body=b"", ContentType=LONG_TYPE)
    return server, s3


@pytest.mark.parametrize("place", PLACES)
def test_a_stream_is_the_feeds_documents_as_they_happen(spawn: Spawn, place: str) -> None:
    server, s3 = filled(spawn, 1)
    response = begin(server, place)
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert message(response)["retry"] == "1000"
    for sequence in (2, 3):
        s3.put_object(Bucket=BUCKET, Key="new", Body=b"")
        told = message(response)
        page = server.request("GET", f"/v1/buckets/{BUCKET}/events?after={sequence - 1}")
        assert [told["data"]] == [str_of(item) for item in page["items"]]
        assert told["event"] == page["items"][0]["event"]


def str_of(item: dict[str, Any]) -> str:
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False)


def test_streams_end_at_once_when_the_server_stops(spawn: Spawn) -> None:
    server, _ = filled(spawn, 1)
    responses = [begin(server, place) for place in PLACES]
    for response in responses:
        message(response)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < DRAIN_SECONDS - 5
    assert [response.read().replace(b": ping\n\n", b"") for response in responses] == [b""] * len(PLACES)
    assert server.log == ""


@pytest.mark.parametrize("place", PLACES)
def test_a_reader_that_takes_nothing_holds_up_neither_others_nor_the_end(spawn: Spawn, place: str) -> None:
    server, s3 = filled(spawn, 1200)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", server.port))
    request = f"GET /v1/{place}/events?after=0 HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
    stuck.sendall(f"{request}Authorization: Bearer {API_TOKEN}\r\n\r\n".encode())
    response = begin(server, place)
    message(response)
    s3.put_object(Bucket=BUCKET, Key="new", Body=b"")
    assert '"new"' in message(response)["data"]
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < DRAIN_SECONDS - 5
    assert server.log == ""
    # What was sent is what fits into sockets and one read of the log, not all there was.
    stuck.settimeout(5)
    assert stuck.recv(15).startswith(b"HTTP/1.1 200")
    stuck.close()


def test_a_reader_that_goes_leaves_nothing_behind(spawn: Spawn) -> None:
    server, _ = filled(spawn, 1)
    (gateway,) = server.gateway_pids

    def of_clients() -> set[str]:
        """What the kernel calls the connections that were accepted; those to the database are others."""
        lines = [line.split() for line in Path(f"/proc/{gateway}/net/tcp").read_text().splitlines()[1:]]
        return {f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{server.port:04X}")}

    def target(link: Path) -> str:
        try:
            return str(link.readlink())
        except FileNotFoundError:  # closed as we looked
            return ""

    def sockets() -> int:
        return len(of_clients().intersection(map(target, Path(f"/proc/{gateway}/fd").iterdir())))

    before = sockets()
    responses = [begin(server, place) for place in PLACES * 5]
    for response in responses:
        message(response)
    assert sockets() >= before + len(responses)
    for response in responses:
        response.close()
    assert eventually(lambda: sockets() <= before + 1)
