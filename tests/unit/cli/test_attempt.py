from __future__ import annotations

import pytest

from elasticlake.cli.attempt import answers, outcome


@pytest.mark.parametrize(
    ("status", "error_class", "error", "line"),
    [
        (200, None, None, "200 OK"),
        (500, "status", "the receiver answered 500", "500 Internal Server Error"),
        (799, "status", "the receiver answered 799", "799"),
        (302, "redirect", "the receiver answered 302; redirects are not followed", "302 Found, not followed"),
        (200, "timeout", "no end of the 200 response's body within 5 s",
         "timeout: no end of the 200 response's body within 5 s"),
        (None, "connect", "[Errno 111] Connect call failed ('127.0.0.1', 5000)",
         "connect: connection refused by 127.0.0.1:5000"),
        (None, "connect", "[Errno 111] Connect call failed ('::1', 5000, 0, 0)",
         "connect: connection refused by [::1]:5000"),
        (None, "connect",
         "[Errno 111] Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 5000), "
         "[Errno 111] Connect call failed ('::1', 5000, 0, 0)",
         "connect: connection refused by 127.0.0.1:5000 and [::1]:5000"),
        (None, "connect", "[Errno 113] Connect call failed ('10.0.0.1', 80)",
         "connect: no route to host: 10.0.0.1:80"),
        (None, "reset", None, "reset"),
    ],
)  # fmt: skip
def test_outcome(status: int | None, error_class: str | None, error: str | None, line: str) -> None:
    assert outcome({"statusCode": status, "errorClass": error_class, "error": error}) == line


def test_equal_answers_are_shown_once() -> None:
    bodies = ["busy", "busy", "", "busy", "done\r\n"]
    attempts = [{"attempt": number, "responseBody": body} for number, body in enumerate(bodies, 1)]
    assert list(answers(attempts)) == [
        ("Answer to attempts 1 to 2", "busy"),
        ("Answer to attempt 4", "busy"),
        ("Answer to attempt 5", "done"),
    ]


@pytest.mark.parametrize("body", ["line\n" * 40, "x" * 5000])
def test_a_long_answer_is_shortened(body: str) -> None:
    [(_, short)] = answers([{"attempt": 1, "responseBody": body}])
    *shown, last = short.splitlines()
    assert body.startswith("\n".join(shown))
    assert len(short) < 1100
    assert len(shown) <= 10
    assert last == "… (all that was kept: --json)"
