"""HTTP/1.1 itself, on a bare socket: what clients' libraries hide."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.server import Server
from tests.integration.test_serve_stop import signed_headers

LIKE_A_HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: "  # as stored crawls of the web have it
MIB = 1024 * 1024


@pytest.fixture
def connection(server: Server) -> Iterator[http.client.HTTPConnection]:
    """One connection, kept."""
    open_one = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    open_one.connect()
    yield open_one
    open_one.close()


def converse(server: Server, sent: bytes) -> bytes:
    """All that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(sent)
        received = b""
        while data := plain.recv(65536):
            received += data
        return received


def test_a_connection_is_kept_over_every_kind_of_answer(
    connection: http.client.HTTPConnection, server: Server, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"content", ACL="public-read")
    kept = connection.sock
    for method, path, status, body in [
        ("HEAD", f"/{bucket}/a", 200, b""),
        ("GET", f"/{bucket}/a", 200, b"content"),
        ("HEAD", f"/{bucket}/none", 403, b""),
        ("GET", "/v1/health", 200, None),
        ("HEAD", "/v1/health", None, b""),
        ("OPTIONS", f"/{bucket}/a", None, None),
        ("GET", f"/{bucket}/a", 200, b"content"),
    ]:
        connection.request(method, path)
        answer = connection.getresponse()
        came = answer.read()
        assert status in (None, answer.status)
        assert body in (None, came)
        assert answer.status < 500
    connection.request("GET", f"/{bucket}/a", headers={"If-None-Match": answer.getheader("ETag") or ""})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (304, b"")
    assert connection.sock is kept


def test_stored_bytes_that_look_like_an_answer(s3: Any, bucket: str) -> None:
    body = LIKE_A_HEAD[:32] * (3 * MIB // 32)
    s3.put_object(Bucket=bucket, Key="crawl", Body=body)
    assert s3.get_object(Bucket=bucket, Key="crawl")["Body"].read() == body
    assert s3.get_object(Bucket=bucket, Key="crawl", Range=f"bytes={2 * MIB}-")["Body"].read() == body[2 * MIB :]


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    first = b"HEAD /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"
    second = b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
    third = b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = converse(server, first + second + third)
    assert received.count(b"HTTP/1.1 ") == 3
    assert received.endswith(b"}")
    assert b"<Code>AccessDenied</Code>" in received or b"<Code>NoSuchBucket</Code>" in received


def test_expect_continue_is_answered_before_the_body_comes(server: Server, bucket: str) -> None:
    path = f"/{bucket}/waited"
    headers = signed_headers("PUT", server.url + path, {"Host": server.address})
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"PUT {path} HTTP/1.1", *lines, "Content-Length: 4", "Expect: 100-continue", "", ""])
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(head.encode())
        assert plain.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plain.sendall(b"body")
        assert plain.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_expect_continue_is_refused_without_the_body(server: Server, bucket: str) -> None:
    head = f"PUT /{bucket}/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    received = converse(server, head.encode())
    assert received.startswith(b"HTTP/1.1 403 ")
    assert b"100 Continue" not in received


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_garbage_is_refused_and_harms_nobody(server: Server, garbage: bytes) -> None:
    received = converse(server, garbage)
    assert received == b"" or received.startswith(b"HTTP/1.1 400 ")
    assert server.request("GET", "/v1/health")["status"] == "ok"


@pytest.mark.parametrize("piece", [b"a" * 65536, b"X-Name: value\r\n" * 4096])
def test_a_head_without_end_is_cut_off(server: Server, piece: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-First: ")
        with pytest.raises(ConnectionError):
            plain.sendall(piece * 1000)


def test_a_head_in_many_pieces_is_a_head(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        for piece in (b"GET /v1/hea", b"lth HTTP/1.1\r\nHo", b"st: x\r\nX-Long: ", b"a" * 20_000, b"\r\n\r", b"\n"):
            plain.sendall(piece)
            time.sleep(0.01)
        assert plain.recv(1000).startswith(b"HTTP/1.1 200 ")
