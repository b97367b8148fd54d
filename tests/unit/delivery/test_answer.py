"""Answers as bytes: whole, in pieces, broken, and beyond every bound."""

from __future__ import annotations

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.delivery.answer import (
    ANSWER_CAP_BYTES,
    BODY_CAP_BYTES,
    HEADER_COUNT,
    HEADER_LINE_BYTES,
    INFORMATIONAL_COUNT,
    Answer,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def fed(*pieces: bytes) -> Answer:
    answer = Answer()
    for piece in pieces:
        answer.feed(piece)
    return answer


@pytest.mark.parametrize(
    ("answer", "body", "keeps"),
    [
        (HEAD + EMPTY, b"", True),
        (HEAD + b"Content-Length: 2\r\n\r\nOK", b"OK", True),
        (HEAD + CHUNKED + b"2\r\nOK\r\n1;x=y\r\n!\r\n0\r\n\r\n", b"OK!", True),
        (HEAD + CHUNKED + b"2\r\nOK\r\n0\r\nX-Trailer: 1\r\n\r\n", b"OK", True),
        (HEAD + b"Connection: close\r\n" + EMPTY, b"", False),
        (b"HTTP/1.0 200 OK\r\n" + EMPTY, b"", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + EMPTY, b"", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", b"", True),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"", False),
        (CONTINUE * 3 + HEAD + EMPTY, b"", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nOK", b"OK", True),
        (HEAD + b"Content-Length: %d\r\n\r\n" % (BODY_CAP_BYTES + 1) + bytes(BODY_CAP_BYTES + 1), None, False),
    ],
)
def test_what_is_complete_and_whether_the_connection_serves_again(answer, body, keeps):
    for pieces in ([answer], [answer[at : at + 1] for at in range(len(answer))]):
        seen = fed(*pieces)
        assert (seen.is_complete, seen.fault, seen.keeps_connection) == (True, None, keeps)
        assert bytes(seen.body) == (bytes(BODY_CAP_BYTES) if body is None else body)


@pytest.mark.parametrize("behind", [b"H", HEAD + EMPTY, b"garbage", HEAD + b"Content-Length: 5\r\n\r\nabcde"])
def test_what_comes_behind_an_answer_is_no_part_of_it(behind):
    seen = fed(HEAD + b"Content-Length: 2\r\n\r\nOK" + behind)
    assert (seen.is_complete, seen.fault, seen.keeps_connection) == (True, None, False)
    assert (seen.status, bytes(seen.body), seen.headers) == (200, b"OK", (("Content-Length", "2"),))


@pytest.mark.parametrize(
    ("answer", "is_complete"),
    [
        (HEAD + b"\r\nabc", True),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\nabc", True),
        (HEAD + b"Content-Length: 5\r\n\r\nabc", False),
        (HEAD + CHUNKED + b"3\r\nabc", False),
        (HEAD, False),
        (b"", False),
    ],
)
def test_the_connections_end_is_the_end_of_a_body_without_another(answer, is_complete):
    seen = fed(answer)
    assert not seen.is_over
    seen.end()
    assert (seen.is_complete, seen.keeps_connection) == (is_complete, False)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "the answer is not HTTP: "),
        (HEAD + CHUNKED + b"ZZ\r\n", "the framing of the answer's body is broken: "),
        (b"HTTP/1.1 200 " + b"a" * (HEADER_LINE_BYTES + 1), "longer than 8 KiB"),
        (HEAD + b"X: " + b"a" * (HEADER_LINE_BYTES + 1), "longer than 8 KiB"),
        (HEAD + b"X: " + b"a" * HEADER_LINE_BYTES + b"\r\n" + EMPTY, "longer than 8 KiB"),
        (HEAD + b"X: a\r\n" * HEADER_COUNT + EMPTY, "more than 100 headers"),
        (HEAD + b"X: a\0b\r\n" + EMPTY, "null character"),
        (CONTINUE * (INFORMATIONAL_COUNT + 1), "more than 32 informational"),
    ],
)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_what_is_wrong_is_said(answer, fault, in_pieces):
    seen = fed(*([answer[at : at + 1000] for at in range(0, len(answer), 1000)] if in_pieces else [answer]))
    assert fault in (seen.fault or "")
    assert not seen.keeps_connection


@pytest.mark.parametrize(
    ("beginning", "endless", "fault"),
    [
        (b"", b"\r\n", "the answer is not HTTP: it does not begin with HTTP/"),
        (HEAD + CHUNKED + b"1", b";x", "a line of the body's framing is longer than 8 KiB"),
        (HEAD + CHUNKED + b"0\r\n", b"X: y\r\n", "the answer has no end within 1 MiB"),
        (HEAD + CHUNKED, b"1;%b\r\nx\r\n" % (b"y" * 1000), "the answer has no end within 1 MiB"),
    ],
    ids=["empty lines", "an extension", "trailers", "extensions"],
)
def test_nothing_is_read_without_an_end(beginning, endless, fault):
    seen = fed(beginning)
    many = endless * (1 + 10_000 // len(endless))
    for _ in range(2 * ANSWER_CAP_BYTES // len(many)):
        seen.feed(many)
    assert seen.fault == fault


def test_a_hundred_headers_are_taken_and_16_kib_of_them_kept():
    seen = fed(HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 8000) for n in range(HEADER_COUNT - 1)) + EMPTY)
    assert seen.is_complete
    assert [name for name, _ in seen.headers] == ["X-0", "X-1"]


def test_a_trailer_is_no_header():
    assert fed(HEAD + CHUNKED + b"0\r\nX-Late: 1\r\n\r\n").headers == (("Transfer-Encoding", "chunked"),)


def test_a_stopped_answer_is_nobodys_garbage():
    gc.disable()
    try:
        answer = _Watched()
        seen = weakref.ref(answer)
        answer.feed(HEAD + EMPTY)
        answer.stop()
        answer.feed(b"more")
        del answer
        assert seen() is None
    finally:
        gc.enable()


class _Watched(Answer):
    """An answer that can be referred to weakly."""


@st.composite
def answers_in_pieces(draw: st.DrawFn) -> tuple[bytes, int, list[bytes]]:
    """The body, the status, and an answer that has them, cut anywhere."""
    body = draw(st.binary(max_size=300))
    status = draw(st.sampled_from([200, 201, 302, 410, 500]))
    head = CONTINUE * draw(st.integers(0, 2)) + b"HTTP/1.1 %d X\r\n" % status
    head += b"".join(b"X-%d: y\r\n" % number for number in range(draw(st.integers(0, 5))))
    if draw(st.booleans()):
        answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    else:
        size = draw(st.integers(1, 100))
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        answer = head + CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    cuts = sorted(draw(st.sets(st.integers(1, len(answer) - 1), max_size=20)))
    return body, status, [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]


@given(answers_in_pieces())
def test_an_answer_is_the_same_in_any_pieces(case):
    body, status, pieces = case
    seen = fed(*pieces)
    assert (seen.status, bytes(seen.body), seen.fault) == (status, body, None)
    assert seen.keeps_connection
    assert not fed(*pieces[:-1]).is_complete


@given(
    st.lists(
        st.binary(max_size=200) | st.sampled_from([HEAD, EMPTY, CHUNKED, CONTINUE, b"\r\n", b"1\r\n"]), max_size=20
    )
)
def test_any_bytes_are_an_answer_or_none(pieces):
    seen = fed(*pieces)
    seen.end()
    assert seen.status is not None or not seen.is_complete
    assert len(seen.body) <= BODY_CAP_BYTES
    assert seen.fault is None or not seen.keeps_connection


@pytest.mark.parametrize("head", [b"RTSP/1.0 200 OK", b"HTTP/2.0 200 OK", b"HTTP/1.1 099 Low", b"HTTP/1.1 999 High"])
def test_an_answer_of_another_protocol_is_none(head: bytes) -> None:
    answer = Answer()
    answer.feed(head + b"\r\nContent-Length: 0\r\n\r\n")
    assert answer.fault is not None
    assert answer.status is None


@pytest.mark.parametrize("line", [b"0\r\nX-Trailer: ", b"1;extension="])
def test_a_line_of_framing_that_drips_is_refused_before_it_costs_much(line: bytes) -> None:
    answer = Answer()
    answer.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n" + line)
    pieces = 0
    while not answer.is_over and pieces < 10_000:
        answer.feed(b"a" * 16)
        pieces += 1
    assert answer.fault is not None
    assert pieces < 1000


def test_a_long_body_in_small_chunks_is_no_line_of_framing() -> None:
    answer = Answer()
    answer.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(5000):
        answer.feed(b"1\r\nx\r\n")
    answer.feed(b"0\r\nX-Trailer: y\r\n\r\n")
    assert (answer.fault, answer.is_complete) == (None, True)
