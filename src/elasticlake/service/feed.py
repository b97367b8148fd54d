"""The pull feed: the log, read by whoever asks, in pages with a long poll for what comes next, or on and on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from elasticlake.clock import Clock, SystemClock
from elasticlake.metadata import buckets, events
from elasticlake.metadata.database import Committed, Database, Reader
from elasticlake.model.accounts import Token
from elasticlake.model.events import Event
from elasticlake.model.objects import Bucket
from elasticlake.model.positions import Positions
from elasticlake.service.hierarchy import visible_bucket
from elasticlake.service.news import News, wait
from elasticlake.service.place_tail import Place, PlaceTail
from elasticlake.service.tail import BucketTail, Tail, unexpired

MAX_EVENTS = 1000
MAX_WAIT_SECONDS = 60.0
_ENDLESS = 2**62
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

    def __init__(
        self, database: Database, look_again_seconds: float = LOOK_AGAIN_SECONDS, clock: Clock | None = None
    ) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._news = News(look_again_seconds)
        self.wake: Callable[[Committed], None] = self._news.tell
        self.close: Callable[[], None] = self._news.end
        database.on_commit(self._news.tell)

    async def after(
        self,
        token: Token,
        bucket_name: str,
        sequence: int | None,
        limit: int = 100,
        wait_seconds: float = 0,
        key: bytes | None = None,
    ) -> FeedPage:
        """At most `limit` events beyond `sequence` (None: from the first kept), of one key or of all, waiting for one
        at most `wait_seconds`.

        Raises `NoSuchBucket`, and `EventsExpired` if events between `sequence` and the first kept one are gone.
        """
        bucket = await self._database.read(lambda reader: visible_bucket(reader, token, bucket_name))
        limit = min(limit, MAX_EVENTS)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(wait_seconds, MAX_WAIT_SECONDS)
        with self._news.about(bucket.id) as woken:
            while True:
                woken.clear()
                page = await self._database.read(lambda reader: _read(reader, bucket.id, sequence, limit, key))
                left_seconds = deadline - loop.time()
                if page.events or left_seconds <= 0 or self._news.is_over:
                    return page
                await wait(woken, min(self._news.look_again_seconds, left_seconds))

    async def before(
        self, token: Token, bucket_name: str, sequence: int | None, limit: int = 100, key: bytes | None = None
    ) -> FeedPage:
        """At most `limit` events before `sequence` (None: the last ones), of one key or of all, the latest first.

        Raises `NoSuchBucket`.
        """
        end = _ENDLESS if sequence is None else sequence
        limit = min(limit, MAX_EVENTS)

        def read(reader: Reader) -> FeedPage:
            bucket = visible_bucket(reader, token, bucket_name)
            if key is None:
                return _page(reader, bucket.id, events.before(reader, bucket.id, end, limit))
            return _page(reader, bucket.id, events.of_key_backwards(reader, bucket.id, key, 0, end - 1, limit))

        return await self._database.read(read)

    async def tail_bucket(self, bucket: Bucket, sequence: int | None) -> Tail:
        """The bucket's log beyond `sequence`, or (None) what comes from now on. Raises `EventsExpired`."""

        def start(reader: Reader) -> int:
            if sequence is not None:
                unexpired(reader, bucket.id, sequence, 1)
                return sequence
            current = buckets.get_by_id(reader, bucket.id)
            return current.sequence if current is not None else bucket.sequence

        return BucketTail(self._database, self._news, bucket.id, await self._database.read(start))

    async def tail_place(self, token: Token, place: Place, after: Positions | None) -> Tail:
        """The logs of those buckets of a lake or a pond that the token reaches, beyond these positions, or (None) what
        comes from now on; buckets made later from their first event on. Raises `PositionExpired`."""
        return await PlaceTail(self._database, self._news, self._clock, place, token).open(after)


def _read(reader: Reader, bucket_id: int, sequence: int | None, limit: int, key: bytes | None) -> FeedPage:
    after = buckets.first_sequence(reader, bucket_id) - 1 if sequence is None else sequence
    return _page(reader, bucket_id, unexpired(reader, bucket_id, after, limit, key))


def _page(reader: Reader, bucket_id: int, found: list[Event]) -> FeedPage:
    first = buckets.first_sequence(reader, bucket_id)
    bucket = buckets.get_by_id(reader, bucket_id)
    last = bucket.sequence if bucket is not None else first - 1
    return FeedPage(found, first, last)
