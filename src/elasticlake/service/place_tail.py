"""The tail of the logs of all buckets of a lake or a pond."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from elasticlake.clock import Clock
from elasticlake.errors import PositionExpired, TooManyBuckets
from elasticlake.metadata import buckets, heads
from elasticlake.metadata.database import Committed, Database, Reader
from elasticlake.metadata.heads import Head, PlaceKind
from elasticlake.model.accounts import Token
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.positions import MAX_BUCKETS, Positions
from elasticlake.record import record
from elasticlake.service.news import News, wait
from elasticlake.service.permissions import reaches_bucket
from elasticlake.service.tail import Told, unexpired

SETTLED_MS = 15 * 60_000
"""An event that is committed now happened, by its gateway's clock, no longer ago than this: signatures of S3 requests
take clocks apart no further either."""
NAMED_BUCKETS = 100
"""A position names as many buckets also where nothing happens in them: then it depends on nobody's clock."""
BUCKETS_AT_ONCE = 250
BUCKETS_A_LOOK = 2500
"""Looking at as many takes some milliseconds."""


@record
class Place:
    """A lake or a pond, by its internal id."""

    kind: PlaceKind
    id: int


class PlaceTail:
    """Takes turns over the buckets that have something new; a position is `Positions`. Events of one bucket are in
    sequence. Only buckets that the token reaches are there."""

    def __init__(self, database: Database, news: News, clock: Clock, place: Place, token: Token) -> None:
        self._database = database
        self._news = news
        self._clock = clock
        self._place = place
        self._token = token
        self._read_up_to: dict[int, int] = {}
        self._heads: dict[int, int] = {}
        self._behind: dict[int, None] = {}
        self._named: dict[int, int | None] = {}
        """Buckets that a position names, with the time of the event that they were read up to, if that is known."""
        self._boundary_ms = 0
        self._looked_at = 0.0
        self._woken = asyncio.Event()

    async def open(self, after: Positions | None) -> PlaceTail:
        """Begin after these positions, or (None) with what comes from now on. Raises `PositionExpired`."""
        self._news.join(self._hear)
        try:
            await self._look(lambda reader, head: _start(reader, head, after))
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        self._news.leave(self._hear)

    @property
    def position(self) -> str:
        """What was read so far; raises `TooManyBuckets`."""
        return str(self._positions())

    async def read(self, limit: int, wait_seconds: float) -> list[Told] | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        while not self._news.is_over:
            self._woken.clear()
            if loop.time() >= self._next_look:
                await self._look(_from_the_first)
            while self._behind and not self._news.is_over:
                if told := await self._next(limit):
                    return told
            left_seconds = deadline - loop.time()
            if left_seconds <= 0:
                return []
            await wait(self._woken, min(left_seconds, max(0, self._next_look - loop.time())))
        return None

    def _positions(self) -> Positions:
        if len(self._named) > MAX_BUCKETS:
            raise TooManyBuckets(f"More than {MAX_BUCKETS} buckets move at once: stream ponds or buckets one by one.")
        return Positions(self._boundary_ms, {bucket_id: self._read_up_to[bucket_id] for bucket_id in self._named})

    @property
    def _next_look(self) -> float:
        """The more buckets there are, the less often."""
        return self._looked_at + self._news.look_again_seconds * (1 + len(self._heads) / BUCKETS_A_LOOK)

    def _hear(self, committed: Committed) -> None:
        # A bucket that is not known is another place's, or a new one, which the next look finds.
        for bucket_id, sequence in committed.items():
            if sequence > self._heads.get(bucket_id, sequence):
                self._moved(bucket_id, sequence)
        self._woken.set()

    def _moved(self, bucket_id: int, sequence: int) -> None:
        self._heads[bucket_id] = sequence
        self._behind[bucket_id] = None
        self._named.setdefault(bucket_id, None)

    async def _next(self, limit: int) -> list[Told]:
        """Events of the bucket whose turn it is."""
        bucket_id = next(iter(self._behind))
        after = self._read_up_to[bucket_id]
        found = await self._database.read(lambda reader: unexpired(reader, bucket_id, after, limit))
        del self._behind[bucket_id]
        if not found:
            return []
        position = self._positions().moving(bucket_id)
        self._read_up_to[bucket_id] = found[-1].sequence
        self._named[bucket_id] = found[-1].time_ms
        if found[-1].sequence < self._heads[bucket_id]:
            self._behind[bucket_id] = None
        return [Told(event, position(event.sequence)) for event in found]

    async def _look(self, start: Start) -> None:
        """Find what nobody told of: other processes' commits, and new buckets, which begin at `start`."""
        # Older than whatever is committed after the first page was read, by any gateway's clock.
        boundary_ms = self._clock.now_ms() - SETTLED_MS
        last: tuple[str, int] | None = ("", 0)
        while last is not None:
            last = await self._look_at_page(last, start)
        self._looked_at = asyncio.get_running_loop().time()
        self._boundary_ms = boundary_ms
        self._forget_settled()

    async def _look_at_page(self, last: tuple[str, int], start: Start) -> tuple[str, int] | None:
        """Look at some buckets, and return where the next ones begin; None if there are none."""
        place, token, known = self._place, self._token, self._heads

        def look(reader: Reader) -> tuple[list[Head], list[tuple[Head, int]]]:
            page = heads.page(reader, place.kind, place.id, last, BUCKETS_AT_ONCE)
            new = [head for head in page if head.bucket_id not in known and _is_seen(token, head)]
            return page, [(head, start(reader, head)) for head in new]

        page, new = await self._database.read(look)
        for head in page:
            if head.sequence > known.get(head.bucket_id, head.sequence):
                self._moved(head.bucket_id, head.sequence)
        for head, sequence in new:
            self._begin(head, sequence)
        return (page[-1].name, page[-1].bucket_id) if len(page) == BUCKETS_AT_ONCE else None

    def _begin(self, head: Head, sequence: int) -> None:
        self._read_up_to[head.bucket_id] = sequence
        self._heads[head.bucket_id] = head.sequence
        # An event that is no longer kept is older than any that a position must tell apart.
        self._named[head.bucket_id] = head.time_ms or 0
        if sequence < head.sequence:
            self._behind[head.bucket_id] = None

    def _forget_settled(self) -> None:
        """Name no more buckets than must be, if there are many."""
        if len(self._named) > NAMED_BUCKETS:
            for bucket_id, time_ms in list(self._named.items()):
                if bucket_id not in self._behind and time_ms is not None and time_ms < self._boundary_ms:
                    del self._named[bucket_id]


def _is_seen(token: Token, head: Head) -> bool:
    return reaches_bucket(token, head.account_id, parse_bucket_name(head.name))


Start = Callable[[Reader, Head], int]


def _from_the_first(reader: Reader, head: Head) -> int:
    return head.first_sequence - 1


def _start(reader: Reader, head: Head, after: Positions | None) -> int:
    """Up to where the bucket was read; raises `PositionExpired` if events beyond are gone."""
    if after is None:
        return head.sequence
    named = after.sequences.get(head.bucket_id)
    if named is None:
        return _settled(reader, head, after.boundary_ms)
    if named < head.first_sequence - 1:
        raise PositionExpired(head.name, head.first_sequence)
    # Beyond the end: an older state has taken over, and what is new in it was not seen.
    return min(named, head.sequence)


def _settled(reader: Reader, head: Head, boundary_ms: int) -> int:
    """Up to where a bucket was read that the positions do not name."""
    if head.time_ms is None or head.time_ms < boundary_ms:
        return head.sequence
    sequence = heads.last_before(reader, head, boundary_ms)
    # Nothing is kept of what the reader has seen, so there is no telling whether he has seen all that is gone.
    is_cut = sequence < head.first_sequence and head.first_sequence > buckets.origin(reader, head.bucket_id) + 1
    if boundary_ms > 0 and is_cut:
        raise PositionExpired(head.name, head.first_sequence)
    return sequence
