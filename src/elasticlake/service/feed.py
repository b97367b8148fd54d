"""The pull feed: a bucket's log, read by whoever asks, with a long poll for what comes next."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from elasticlake.errors import EventsExpired
from elasticlake.metadata import buckets, events
from elasticlake.metadata.database import Committed, Database, Reader
from elasticlake.model.accounts import Token
from elasticlake.model.events import Event
from elasticlake.service.hierarchy import visible_bucket

MAX_EVENTS = 1000
MAX_WAIT_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.25
"""Where nothing tells of what another process commits to the same database."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events beyond the sequence asked for, and the first and last that the log holds (last < first: it is empty)."""

    events: list[Event]
    first_sequence: int
    last_sequence: int


class Feed:
    """Reads of the log."""

    def __init__(self, database: Database, look_again_seconds: float = LOOK_AGAIN_SECONDS) -> None:
        self._database = database
        self._look_again_seconds = look_again_seconds
        self._waiting: dict[int, set[asyncio.Event]] = {}
        self._closed = False
        database.on_commit(self.wake)

    async def after(
        self, token: Token, bucket_name: str, sequence: int | None, limit: int = 100, wait_seconds: float = 0
    ) -> FeedPage:
        """At most `limit` events beyond `sequence` (None: from the first kept), waiting for one at most `wait_seconds`.

        Raises `NoSuchBucket`, and `EventsExpired` if events between `sequence` and the first kept one are gone.
        """
        bucket = await self._database.read(lambda reader: visible_bucket(reader, token, bucket_name))
        limit = min(limit, MAX_EVENTS)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(wait_seconds, MAX_WAIT_SECONDS)
        woken = asyncio.Event()
        self._waiting.setdefault(bucket.id, set()).add(woken)
        try:
            while True:
                woken.clear()
                page = await self._database.read(lambda reader: _read(reader, bucket.id, sequence, limit))
                left_seconds = deadline - loop.time()
                if page.events or left_seconds <= 0 or self._closed:
                    return page
                await _wait(woken, min(self._look_again_seconds, left_seconds))
        finally:
            self._forget(bucket.id, woken)

    def close(self) -> None:
        """End the polls that wait, so that a server that stops need not wait for them."""
        self._closed = True
        self.wake(dict.fromkeys(self._waiting, 0))

    def wake(self, committed: Committed) -> None:
        """Events were added to these buckets' logs, here or elsewhere."""
        for bucket_id in committed:
            for woken in self._waiting.get(bucket_id, ()):
                woken.set()

    def _forget(self, bucket_id: int, woken: asyncio.Event) -> None:
        waiting = self._waiting[bucket_id]
        waiting.discard(woken)
        if not waiting:
            del self._waiting[bucket_id]


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return


def _read(reader: Reader, bucket_id: int, sequence: int | None, limit: int) -> FeedPage:
    first = buckets.first_sequence(reader, bucket_id)
    after = first - 1 if sequence is None else sequence
    if after < first - 1:
        raise EventsExpired(first)
    bucket = buckets.get_by_id(reader, bucket_id)
    last = bucket.sequence if bucket is not None else first - 1
    return FeedPage(events.after(reader, bucket_id, after, limit), first, last)
