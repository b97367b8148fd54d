"""Around every call: its id, its size limit, HEAD, the answer to a fault of ours, and the count of answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from elasticlake.api.errors import internal_error, log_fault, problem

MAX_BODY_BYTES = 1024 * 1024
_TOO_LARGE = "A body has at most 1 MiB."


class Envelope:
    """The outermost ASGI application of the API.

    `scope["state"]["request_id"]`, where the server has set it, is the id that the answer shows in `x-request-id`.
    """

    def __init__(self, app: ASGIApp, answered: Callable[[Scope, int], None]) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {}).setdefault("request_id", secrets.token_hex(8).upper())
        answer = _Answer(send, request_id, with_body=scope["method"] != "HEAD")
        if scope["method"] == "HEAD":
            # HEAD is GET without the content (RFC 9110, 9.3.2).
            scope = {**scope, "method": "GET"}
        try:
            if _declared_bytes(scope) > MAX_BODY_BYTES:
                await problem("body-too-large", _TOO_LARGE)(scope, receive, answer.send)
            else:
                await self._app(scope, _limited(receive), answer.send)
        except Exception as error:
            log_fault(request_id, error)
            if answer.status is None:
                await internal_error()(scope, receive, answer.send)
        if answer.status is not None:
            self._answered(scope, answer.status)


class _Answer:
    """Sends the answer on, with the request's id."""

    def __init__(self, send: Send, request_id: str, *, with_body: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._with_body = with_body
        self._has_ended = False
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self._request_id.encode("ascii"))]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body" and not self._with_body:
            if self._has_ended:
                return
            # Without a body the answer is whole now, also where the body would never end.
            self._has_ended, message = True, {**message, "body": b"", "more_body": False}
        await self._send(message)


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def _limited(receive: Receive) -> Receive:
    """A body without a declared length is counted as it comes."""
    received_bytes = 0

    async def limited() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return limited
