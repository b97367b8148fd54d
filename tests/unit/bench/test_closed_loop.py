"""The client against answers of every form, byte by byte, and against the null server."""

from itertools import count

import pytest
from bench.client import ANY_LENGTH, Request
from bench.closed_loop import run_closed
from bench.processes import free_port
from bench.server import Server
from bench.signer import Signer
from bench.target import Target
from bench.workloads import Puts, Requests

from .conftest import Fixed, Scripted

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def get(key: str, expected: int = ANY_LENGTH, operation: str = "GET") -> Request:
    return Request(operation, key, f"{operation} /{key} HTTP/1.1\r\nhost: x\r\n\r\n".encode(), b"", expected)


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\ncont|ent-length: 5\r\n\r|\nhel|lo",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\n|llo\r\n0\r\n\r\n",
    ],
)
def test_bodies_are_counted_and_the_connection_is_used_again(scripted: Scripted, answer: bytes) -> None:
    source = Fixed(get("a", 5), get("b", 5))
    tally = run_closed(scripted([[answer, answer]]), source, 1, 5)
    assert not tally.errors
    assert tally.body_bytes == 10
    assert source.ended == [("a", True), ("b", True)]


@pytest.mark.parametrize(
    "last",
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 200 OK\r\n\r\nhel|lo"],
)
def test_a_closed_connection_is_replaced_without_an_error(scripted: Scripted, last: bytes) -> None:
    source = Fixed(get("a", 5), get("b", 5))
    tally = run_closed(scripted([[last], [OK]]), source, 1, 5)
    assert not tally.errors
    assert len(tally.latencies_seconds) == 2


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found"])
def test_the_answer_to_head_has_no_body_whatever_its_length(scripted: Scripted, status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nContent-Length: 4096\r\n\r\n"
    tally = run_closed(scripted([[head, OK]]), Fixed(get("a", operation="HEAD"), get("b", 5)), 1, 5)
    assert len(tally.latencies_seconds) + tally.errors["HEAD 404"] == 2


def test_a_refusal_is_counted_with_its_s3_code(scripted: Scripted) -> None:
    body = b"<Error><Code>SlowDown</Code></Error>"
    refusal = b"HTTP/1.1 503 Slow Down\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    source = Fixed(get("a"), get("b"))
    tally = run_closed(scripted([[refusal, OK]]), source, 1, 5)
    assert tally.errors == {"GET 503 SlowDown": 1}
    assert source.ended == [("a", False), ("b", True)]


def test_a_body_of_another_length_is_an_error(scripted: Scripted) -> None:
    tally = run_closed(scripted([[OK]]), Fixed(get("a", 4096)), 1, 5)
    assert tally.errors == {"GET wrong body length": 1}


def test_a_broken_answer_is_an_error_and_the_load_goes_on(scripted: Scripted) -> None:
    torn = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"
    source = Fixed(get("a"), get("b"))
    tally = run_closed(scripted([[torn], [OK]]), source, 1, 5)
    assert tally.errors == {"GET connection lost": 1}
    assert source.ended == [("a", False), ("b", True)]


def test_no_server_is_an_error_at_once() -> None:
    with pytest.raises(OSError):
        run_closed(Target("127.0.0.1", free_port(), "a", "s"), Fixed(get("a")), 1, 1)


def test_the_load_ends_in_time_and_every_request_is_tallied(null: Server) -> None:
    source = Puts(Requests(Signer(null.target), "bucket", 4096), (f"k{number}" for number in count()))
    tally = run_closed(null.target, source, 8, 0.5)
    assert 0.45 < tally.elapsed_seconds < 2
    assert not tally.errors
    assert len(source.written) == len(tally.latencies_seconds) > 100
    assert tally.body_bytes == 4096 * len(source.written)
    assert tally.client_cpu_seconds > 0


def test_large_bodies_go_out_whole(null: Server) -> None:
    requests = Requests(Signer(null.target), "bucket", 3 * 1024 * 1024)
    assert not run_closed(null.target, Puts(requests, iter(["large"])), 1, 30).errors
    # The null server answers with as many bytes as it took in.
    tally = run_closed(null.target, Fixed(requests.get("large")), 1, 30)
    assert not tally.errors
    assert tally.body_bytes == 3 * 1024 * 1024
