"""Server-Sent Events (WHATWG HTML, section 9.2) for a page: pieces of it, as they change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from elasticlake.errors import ElasticLakeError

LOOK_SECONDS = 1.0
SLOWEST_LOOK_SECONDS = 5.0
_SHARE = 20
"""A look that takes long is followed by a longer wait: a stream takes a twentieth of the time at most."""
PING_SECONDS = 15.0
LIFE_SECONDS = 300.0
"""Then the browser asks again, and its session is looked at anew."""

Look = Callable[[], Awaitable[str]]


class Live(StreamingResponse):
    """Sends what `look` says is new, about once a second, until the browser goes or `is_over`."""

    media_type = "text/event-stream"

    def __init__(self, look: Look, is_over: Callable[[], bool], first: str = "") -> None:
        super().__init__(_frames(look, is_over, first), headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A server that stops does not wait for an answer whose reader takes nothing more.
        scope.setdefault("state", {})["is_stream"] = True
        await super().__call__(scope, receive, send)


async def _frames(look: Look, is_over: Callable[[], bool], first: str) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    ends_at, sent_at = loop.time() + LIFE_SECONDS, loop.time()
    yield "retry: 1000\n\n" + (_frame(first) if first else "")
    pause_seconds = LOOK_SECONDS
    while not is_over() and loop.time() < ends_at:
        await asyncio.sleep(pause_seconds)
        began_at = loop.time()
        try:
            news = await look()
        except ElasticLakeError:
            # The answer has begun. The browser asks again, and is told what is the matter.
            return
        now = loop.time()
        pause_seconds = min(max(LOOK_SECONDS, _SHARE * (now - began_at)), SLOWEST_LOOK_SECONDS)
        if news or now - sent_at >= PING_SECONDS:
            sent_at = now
            yield _frame(news) if news else ": ping\n\n"


def _frame(text: str) -> str:
    return "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
