"""A receiver as a handler of an aiohttp server."""

from __future__ import annotations

from aiohttp import web

from elasticlake.webhooks.answer import TOO_LARGE, Answer
from elasticlake.webhooks.receiver import Receiver


async def handle(receiver: Receiver, request: web.Request) -> web.Response:
    """Answer one request."""
    answer = await _answer(receiver, request)
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers)


async def _answer(receiver: Receiver, request: web.Request) -> Answer:
    refusal = receiver.refusal(request.method, request.content_length)
    if refusal is not None:
        return refusal
    body = await _body(request, receiver.max_body_bytes)
    return TOO_LARGE if body is None else await receiver.ahandle(body, request.headers)


async def _body(request: web.Request, max_bytes: int) -> bytes | None:
    """All of the body; None if it is more. The application's own `client_max_size` may be less than a batch."""
    if request.content.at_eof():
        return await request.read()  # a middleware has read it, and it is kept
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            return None
    return bytes(body)
