"""A bucket's log, read on and on from a position: what a live stream sends."""

from __future__ import annotations

import asyncio
from typing import Protocol

from elasticlake.errors import EventsExpired
from elasticlake.metadata import buckets, events
from elasticlake.metadata.database import Database, Reader
from elasticlake.model.events import Event
from elasticlake.record import record
from elasticlake.service.news import News, wait

_ENDLESS = 2**62


@record
class Told:
    """An event, and the position that whoever has seen it goes on from."""

    event: Event
    position: str


class Tail(Protocol):
    """Reads the log as fast as it is asked to, so a slow reader costs no memory. Close it in the end."""

    @property
    def position(self) -> str:
        """What was read so far."""
        ...

    async def read(self, limit: int, wait_seconds: float) -> list[Told] | None:
        """At most `limit` events more, waiting for one at most that long ([]: there was none); None once the server
        stops. Raises `EventsExpired` where the reader was slower than the log's retention."""
        ...

    def close(self) -> None:
        """Be told of nothing any more."""
        ...


class BucketTail:
    """The tail of one bucket's log; a position is a sequence."""

    def __init__(self, database: Database, news: News, bucket_id: int, sequence: int) -> None:
        self._database = database
        self._news = news
        self._bucket_id = bucket_id
        self._sequence = sequence

    @property
    def position(self) -> str:
        return str(self._sequence)

    async def read(self, limit: int, wait_seconds: float) -> list[Told] | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        with self._news.about(self._bucket_id) as woken:
            while not self._news.is_over:
                woken.clear()
                found = await self._database.read(
                    lambda reader: unexpired(reader, self._bucket_id, self._sequence, limit)
                )
                if found:
                    self._sequence = found[-1].sequence
                    return [Told(event, str(event.sequence)) for event in found]
                left_seconds = deadline - loop.time()
                if left_seconds <= 0:
                    return []
                await wait(woken, min(self._news.look_again_seconds, left_seconds))
        return None

    def close(self) -> None:
        """Nothing is held between reads."""


def unexpired(reader: Reader, bucket_id: int, sequence: int, limit: int, key: bytes | None = None) -> list[Event]:
    """The events beyond `sequence`, or those of one key; raises `EventsExpired` if any are gone, of whatever key."""
    first = buckets.first_sequence(reader, bucket_id)
    if sequence < first - 1:
        raise EventsExpired(first)
    if key is not None:
        return events.of_key(reader, bucket_id, key, sequence, _ENDLESS, limit)
    return events.after(reader, bucket_id, sequence, limit)
