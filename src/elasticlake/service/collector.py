"""Letting go of bytes that nothing refers to: queued deletions, abandoned uploads' blobs, orphans."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

import structlog

from elasticlake.errors import Unavailable
from elasticlake.metadata import blob_records, uploads
from elasticlake.metadata.database import Touching
from elasticlake.service.context import Stores
from elasticlake.service.metrics import Metrics

BATCH = 500
INTENT_MS = 24 * 3_600_000
COMPLETED_UPLOAD_MS = 7 * 24 * 3_600_000
NEWCOMER_MS = 60_000
PAUSE_SECONDS = 30.0
LOOK_SECONDS = 0.2
SWEEP_SECONDS = 24 * 3600.0

_log = structlog.get_logger("collector")


class Watch(Protocol):
    """Who else lives."""

    @property
    def is_eldest(self) -> bool:
        """Whether this process does what one is enough for."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """The processes that live, as they are named in intents."""
        ...


class Collector:
    """Deletes what may go, in small steps beside the requests."""

    def __init__(self, stores: Stores, watch: Watch, metrics: Metrics | None = None) -> None:
        self._stores = stores
        self._watch = watch
        self._metrics = metrics or Metrics()
        self._began_at_ms = stores.clock.now_ms()
        self._swept_at = float("-inf")

    async def run(self) -> None:
        """Clear up after this process's predecessor; then do what one gateway does for all, for as long as this is the
        one: collect, and sweep now and then."""
        is_clear = False
        while True:
            is_clear = is_clear or await self._guard(self.abandon_own_intents())
            if self._watch.is_eldest:
                await self._guard(self._round())
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                await asyncio.sleep(LOOK_SECONDS)

    async def _round(self) -> None:
        await self.abandon_absent()
        if self._stores.clock.monotonic() - self._swept_at > SWEEP_SECONDS:
            await self.sweep()
            self._swept_at = self._stores.clock.monotonic()
        await self.collect()

    async def abandon_own_intents(self) -> int:
        """What this process's predecessor was writing will never be finished."""
        now_ms, before_ms = self._stores.clock.now_ms(), self._began_at_ms + 1
        return await self._stores.database.write(
            lambda tx: blob_records.abandon_of_owner(tx, self._stores.owner, before_ms, now_ms), touching=Touching()
        )

    async def abandon_absent(self) -> int:
        """What a gateway that is no more was writing will never be finished, nor what has been silent for a day. A new
        gateway may not be known here yet, so what was begun just now is left alone."""
        now_ms = self._stores.clock.now_ms()
        living = {self._stores.owner, *self._watch.names}
        database = self._stores.database
        abandoned = await database.write(
            lambda tx: blob_records.abandon_intents(tx, now_ms - INTENT_MS, now_ms), touching=Touching()
        )
        for owner in await database.read(blob_records.owners):
            if owner not in living:
                abandoned += await database.write(
                    lambda tx: blob_records.abandon_of_owner(tx, owner, now_ms - NEWCOMER_MS, now_ms),  # noqa: B023
                    touching=Touching(),
                )
        return abandoned

    async def collect(self) -> int:
        """Delete the blobs whose grace period is over; returns how many."""
        deleted = 0
        now_ms = self._stores.clock.now_ms()
        database = self._stores.database
        await database.write(lambda tx: uploads.forget_completed(tx, now_ms - COMPLETED_UPLOAD_MS), touching=Touching())
        while due := await database.read(lambda reader: blob_records.due_deletions(reader, now_ms, BATCH)):
            await self._stores.blobs.delete(due)
            await database.write(lambda tx: blob_records.forget_deletions(tx, due), touching=Touching())
            self._metrics.blobs_deleted(len(due))
            deleted += len(due)
        return deleted

    async def sweep(self) -> int:
        """Delete blobs that neither a row nor an intent names; returns how many.

        An intent is committed before its blob appears, and consumed by the transaction that names the blob: so a blob
        that is seen and then found unnamed will never be named.
        """
        orphans: list[str] = []
        some: list[str] = []
        async for blob_id in self._stores.blobs.ids():
            some.append(blob_id)
            if len(some) == blob_records.UNKNOWN_AT_ONCE:
                orphans += await self._unknown(some)
                some = []
        orphans += await self._unknown(some)
        if orphans:
            await self._stores.blobs.delete(orphans)
            self._metrics.blobs_deleted(len(orphans))
            _log.info("orphaned blobs deleted", count=len(orphans))
        return len(orphans)

    async def _unknown(self, blob_ids: list[str]) -> list[str]:
        # Where the answer comes from memory, others are to have their turn.
        await asyncio.sleep(0)
        return await self._stores.database.read(lambda reader: blob_records.unknown(reader, blob_ids), loose=True)

    async def _guard(self, work: Awaitable[object]) -> bool:
        """Whether the work was done; a fault is logged."""
        try:
            await work
        except Unavailable as error:
            # The heartbeat and the blob store say so already.
            _log.debug("collecting waits", error=str(error))
            return False
        except Exception as error:
            _log.error("collector fault", exc_info=error)
            return False
        return True
