"""Server-Sent Events (WHATWG HTML, section 9.2): the log as an answer that does not end.

Each event's `data` is the body of its delivery, its `id` the position after it. A slow reader slows down the reading of
the log; nothing is kept for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from elasticlake.errors import ElasticLakeError
from elasticlake.model.events import encode_payload, payload
from elasticlake.service.tail import Tail, Told

MEDIA_TYPE = "text/event-stream"
PING_SECONDS = 15.0
"""Proxies end what is silent for a minute, and a lost client is noticed by what is sent to it."""
RETRY_MS = 1000
EVENTS_AT_ONCE = 64

StillAllowed = Callable[[], Awaitable[object]]


class EventStream(StreamingResponse):
    """What `tail` reads, from `tail.position` on, until its reader goes or the server stops. `still_allowed` is asked
    every `ping_seconds`; the stream ends where it raises an error of ours."""

    media_type = MEDIA_TYPE

    def __init__(self, tail: Tail, still_allowed: StillAllowed, ping_seconds: float = PING_SECONDS) -> None:
        frames = _frames(tail, tail.position, still_allowed, ping_seconds)
        super().__init__(frames, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._tail = tail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A server that stops waits for answers to end, but not for one whose reader takes nothing more.
        scope.setdefault("state", {})["is_stream"] = True
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._tail.close()


def is_wanted(accept: str | None, *, alone: bool) -> bool:
    """Whether an `Accept` header asks for a stream; where that is the only form (`alone`), also by a wildcard or by
    saying nothing (RFC 9110, 12.5.1)."""
    ranges = dict(_media_range(part) for part in (accept or "*/*").split(","))
    named = [MEDIA_TYPE, "text/*", "*/*"] if alone else [MEDIA_TYPE]
    return next((ranges[name] > 0 for name in named if name in ranges), False)


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0


async def _frames(tail: Tail, position: str, still_allowed: StillAllowed, ping_seconds: float) -> AsyncIterator[bytes]:
    # An id without data tells the reader where it is before anything happens: a lost connection then loses nothing.
    yield f"retry: {RETRY_MS}\nid: {position}\n\n".encode()
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    try:
        while (told := await tail.read(EVENTS_AT_ONCE, ping_seconds)) is not None:
            if loop.time() - asked_at >= ping_seconds:
                await still_allowed()
                asked_at = loop.time()
            yield b"".join(map(_frame, told)) if told else b": ping\n\n"
    except ElasticLakeError:
        # The answer has begun. Whoever asks again learns what is the matter.
        return


def _frame(told: Told) -> bytes:
    """JSON has no line breaks within."""
    data = encode_payload(payload(told.event))
    return f"id: {told.position}\nevent: {told.event.type}\ndata: ".encode() + data + b"\n\n"
