"""The search's application: `/hook` takes events, `/search?q=…` answers."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict

from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

import index
from elasticlake.webhooks import Event, Receiver
from texts import MAX_BYTES, text_of

FETCH_TIMEOUT = ClientTimeout(total=20)  # seconds; ElasticLake waits 30 for the answer

receiver = Receiver(os.environ["WEBHOOK_SECRET"])  # without a guard: a replayed event is to be handled again


@receiver.on("object:created", "object:updated", "object:deleted")
async def changed(event: Event) -> None:
    if event.test:
        return
    assert event.object and event.bucket and event.sequence is not None  # these three have them all
    text = None if event.type == "object:deleted" else await fetch(event.object.url or "")
    await asyncio.to_thread(index.put, event.bucket, event.object.key, event.sequence, text)


async def fetch(url: str) -> str | None:
    """The beginning of the object, by the URL that came with the event, so without any credentials; None if it is
    gone. It may be newer than the event, and then a later one tells of it, too."""
    async with (
        ClientSession(timeout=FETCH_TIMEOUT) as session,
        session.get(URL(url, encoded=True)) as response,  # what is signed must not be spelled otherwise
    ):
        if response.status == 404:
            return None
        response.raise_for_status()
        content = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            content += chunk
            if len(content) >= MAX_BYTES:
                break
        return text_of(bytes(content[:MAX_BYTES]))


async def search(request: web.Request) -> web.Response:
    hits = await asyncio.to_thread(index.search, request.query.get("q", ""))
    return web.json_response([asdict(hit) for hit in hits])


def application() -> web.Application:
    app = web.Application()
    app.router.add_post("/hook", receiver.aiohttp)
    app.router.add_get("/search", search)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None)
