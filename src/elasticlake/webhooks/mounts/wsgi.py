"""A receiver as a WSGI application.

Source: PEP 3333.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from elasticlake.webhooks.answer import NOT_POST, TOO_LARGE, Answer
from elasticlake.webhooks.receiver import Receiver

_PREFIX = "HTTP_"
_NO_LENGTH = Answer(400, "The header Content-Length is no number.")


def serve(receiver: Receiver, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request."""
    answer = _answer(receiver, environ)
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.sized_headers)
    # What a HEAD would get has no body, only its length.
    return [] if answer is NOT_POST and environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


def _answer(receiver: Receiver, environ: dict[str, Any]) -> Answer:
    given = environ.get("CONTENT_LENGTH") or ""
    if given and not (given.isascii() and given.isdecimal()):
        return _NO_LENGTH
    refusal = receiver.refusal(environ["REQUEST_METHOD"], int(given) if given else None)
    if refusal is not None:
        return refusal
    body = _body(environ, int(given) if given else None, receiver.max_body_bytes)
    return TOO_LARGE if len(body) > receiver.max_body_bytes else receiver.handle(body, headers_of(environ))


def _body(environ: dict[str, Any], length_bytes: int | None, max_bytes: int) -> bytes:
    # Without a length a server may wait for ever, unless it promises that the input ends.
    if length_bytes is None:
        length_bytes = max_bytes + 1 if environ.get("wsgi.input_terminated") else 0
    body = bytearray()
    while len(body) < length_bytes and (chunk := environ["wsgi.input"].read(length_bytes - len(body))):
        body += chunk
    return bytes(body)


def headers_of(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """The request's headers; those of one name are one by now."""
    return [
        (name.removeprefix(_PREFIX).replace("_", "-"), value)
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    ]
