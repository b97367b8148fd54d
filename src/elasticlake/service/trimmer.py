"""Retention of events and of activity: what is older than it is kept, or more than a log may hold, goes in small
batches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import structlog

from elasticlake.errors import Unavailable
from elasticlake.metadata import activity, retention
from elasticlake.metadata.database import Touching
from elasticlake.metadata.retention import SAMPLES, Log
from elasticlake.service.collector import Watch
from elasticlake.service.context import Stores
from elasticlake.service.metrics import Metrics

BATCH = 200
BATCHES_IN_TURN = 50
"""A log with more to trim lets the others have their turn."""
LOGS_AT_ONCE = 50
REST = 3
"""A batch is followed by a pause of so many times its own duration, so that writers keep most of the time."""
LEAST_PAUSE_SECONDS = 0.005
PAUSE_SECONDS = 60.0
LOOK_SECONDS = 0.2
LARGEST_EVENT_BYTES = 65_536
DAY_MS = 86_400_000

_log = structlog.get_logger("trimmer")


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days events are kept, and about how many bytes of them for each bucket; for how many days activity
    is. 0 is without end."""

    days: int = 0
    size_bytes: int = 0
    activity_days: int = 0

    @property
    def keeps_all_events(self) -> bool:
        return not self.days and not self.size_bytes

    @property
    def is_endless(self) -> bool:
        return self.keeps_all_events and not self.activity_days


class Trimmer:
    """Trims the logs, in one gateway for all."""

    def __init__(self, stores: Stores, watch: Watch, retention: Retention, metrics: Metrics | None = None) -> None:
        self._stores = stores
        self._watch = watch
        self._retention = retention
        self._metrics = metrics or Metrics()

    async def run(self) -> None:
        """Trim now and then, for as long as this is the gateway that does it; a fault costs one round."""
        while not self._retention.is_endless:
            if not self._watch.is_eldest:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            is_done = True
            try:
                is_done = await self.trim()
            except Unavailable as error:
                # The heartbeat says so already.
                _log.debug("trimming waits", error=str(error))
            except Exception as error:
                _log.error("trimmer fault", exc_info=error)
            await asyncio.sleep(PAUSE_SECONDS if is_done else LEAST_PAUSE_SECONDS)

    async def trim(self) -> bool:
        """Go over activity and all logs once; whether nothing is left to trim."""
        is_done, after_id = await self._trim_activity(), 0
        if self._retention.keeps_all_events:
            return is_done
        while self._watch.is_eldest and (page := await self._page(after_id)):
            for log in page:
                is_done = await self._trim_log(log) and is_done
            after_id = page[-1].bucket_id
            await asyncio.sleep(0)
        return is_done

    async def _trim_activity(self) -> bool:
        """Trim what was done long ago, for a while; whether that is done."""
        if not self._retention.activity_days:
            return True
        before_ms = self._stores.clock.now_ms() - self._retention.activity_days * DAY_MS
        for _ in range(BATCHES_IN_TURN):
            if not self._watch.is_eldest:
                return True
            began_at = self._stores.clock.monotonic()
            trimmed = await self._stores.database.write(
                lambda tx: activity.trim(tx, before_ms, BATCH), touching=Touching(), long=True
            )
            if trimmed < BATCH:
                return True
            await self._rest(began_at)
        return False

    async def _rest(self, began_at: float) -> None:
        took_seconds = self._stores.clock.monotonic() - began_at
        await asyncio.sleep(max(LEAST_PAUSE_SECONDS, took_seconds * REST))

    async def _page(self, after_id: int) -> list[Log]:
        return await self._stores.database.read(lambda reader: retention.logs(reader, after_id, LOGS_AT_ONCE))

    async def _trim_log(self, log: Log) -> bool:
        """Trim one log, for a while; whether it is done."""
        before_ms = self._stores.clock.now_ms() - self._retention.days * DAY_MS if self._retention.days else 0
        keep_from = await self._keep_from(log)
        if log.first_time_ms >= before_ms and keep_from <= log.first_sequence:
            return True
        for _ in range(BATCHES_IN_TURN):
            if not self._watch.is_eldest:
                return True
            began_at = self._stores.clock.monotonic()
            if await self._trim_batch(log.bucket_id, before_ms, keep_from) < BATCH:
                return True
            await self._rest(began_at)
        return False

    async def _trim_batch(self, bucket_id: int, before_ms: int, keep_from: int) -> int:
        # A group of its own, whose locks nobody's mutation waits for but those of the same bucket.
        trimmed = await self._stores.database.write(
            lambda tx: retention.trim(tx, bucket_id, before_ms, keep_from, BATCH), touching=Touching(), long=True
        )
        self._metrics.events_trimmed(trimmed)
        return trimmed

    async def _keep_from(self, log: Log) -> int:
        """The first sequence that the size allows."""
        most_bytes = (log.last_sequence - log.first_sequence + 1) * LARGEST_EVENT_BYTES
        if not self._retention.size_bytes or most_bytes <= self._retention.size_bytes:
            return log.first_sequence
        sequences = [sample for _, sample in strata(log.first_sequence, log.last_sequence)]
        found = await self._stores.database.read(lambda reader: retention.sizes(reader, log.bucket_id, sequences))
        return first_that_fits(log.first_sequence, log.last_sequence, found, self._retention.size_bytes)


def strata(first: int, last: int) -> list[tuple[int, int]]:
    """A log in even pieces: the first sequence of each, and one from its middle to stand for all of it."""
    count = last - first + 1
    pieces = min(SAMPLES, count)
    starts = [first + number * count // pieces for number in range(pieces)] + [last + 1]
    return [(start, (start + end - 1) // 2) for start, end in pairwise(starts)]


def first_that_fits(first: int, last: int, sizes: Mapping[int, int], limit_bytes: int) -> int:
    """From which sequence on the log takes about `limit_bytes`. `sizes` are its samples' (`strata`)."""
    end, left_bytes = last + 1, limit_bytes
    for start, sample in reversed(strata(first, last)):
        # A sample may have been trimmed since; then nothing before it is there any more.
        size_bytes = sizes.get(sample)
        if size_bytes is None:
            return end
        fitting = left_bytes // size_bytes
        if fitting < end - start:
            return end - fitting
        end, left_bytes = start, left_bytes - (end - start) * size_bytes
    return first
