"""A receiver as an ASGI application.

Source: ASGI 3.0, "HTTP & WebSocket ASGI Message Format", "Lifespan Protocol".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from elasticlake.webhooks.answer import TOO_LARGE, Answer
from elasticlake.webhooks.receiver import Receiver

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _Disconnected(Exception):
    """The sender went away before all had come."""


async def serve(receiver: Receiver, scope: Message, receive: Receive, send: Send) -> None:
    """Answer one connection of any kind."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    else:
        try:
            await _send(await _answer(receiver, scope, receive), send)
        except _Disconnected:
            return


async def _answer(receiver: Receiver, scope: Message, receive: Receive) -> Answer:
    # What servers let through as a length is one.
    lengths = [int(value) for name, value in scope["headers"] if name == b"content-length"]
    refusal = receiver.refusal(scope["method"], max(lengths, default=None))
    if refusal is not None:
        return refusal
    body = await _body(receive, receiver.max_body_bytes)
    return TOO_LARGE if body is None else await receiver.ahandle(body, scope["headers"])


async def _body(receive: Receive, max_bytes: int) -> bytes | None:
    """All of the body; None if it is more."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        body += message.get("body", b"")
        if len(body) > max_bytes:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.sized_headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _live(receive: Receive, send: Send) -> None:
    """A receiver has nothing to begin or to end."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
