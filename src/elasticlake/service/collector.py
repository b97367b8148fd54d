"""Letting go of bytes that nothing refers to: queued deletions, abandoned uploads' blobs, orphans."""

from __future__ import annotations

import asyncio

import structlog

from elasticlake.metadata import blob_records, uploads
from elasticlake.service.context import Stores

BATCH = 500
INTENT_MS = 24 * 3_600_000
COMPLETED_UPLOAD_MS = 7 * 24 * 3_600_000
PAUSE_SECONDS = 30.0

_log = structlog.get_logger("collector")


class Collector:
    """Deletes what may go, in small steps beside the requests."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def run(self) -> None:
        """Sweep once, then collect for ever."""
        await self._guard(self.sweep())
        while True:
            await self._guard(self.collect())
            await asyncio.sleep(PAUSE_SECONDS)

    async def abandon_own_intents(self) -> int:
        """At the start: what this process's predecessor was writing will never be finished."""
        now_ms = self._stores.clock.now_ms()
        return await self._stores.database.write(
            lambda tx: blob_records.abandon_intents(tx, self._stores.owner, now_ms - INTENT_MS, now_ms)
        )

    async def collect(self) -> int:
        """Delete the blobs whose grace period is over; returns how many."""
        deleted = 0
        now_ms = self._stores.clock.now_ms()
        database = self._stores.database
        await database.write(lambda tx: uploads.forget_completed(tx, now_ms - COMPLETED_UPLOAD_MS))
        while due := await database.read(lambda reader: blob_records.due_deletions(reader, now_ms, BATCH)):
            await self._stores.blobs.delete(due)
            await database.write(lambda tx: blob_records.forget_deletions(tx, due))
            deleted += len(due)
        return deleted

    async def sweep(self) -> int:
        """Delete blobs that neither a row nor an intent names; returns how many.

        An intent is committed before its blob appears, and consumed by the transaction that names the blob: so a blob
        that is seen and then found unnamed will never be named.
        """
        orphans: list[str] = []
        for number, blob_id in enumerate(self._stores.blobs.ids()):
            if not await self._stores.database.read(lambda reader: blob_records.is_known(reader, blob_id)):  # noqa: B023
                orphans.append(blob_id)
            if number % 64 == 0:
                await asyncio.sleep(0)
        if orphans:
            await self._stores.blobs.delete(orphans)
            _log.info("orphaned blobs deleted", count=len(orphans))
        return len(orphans)

    async def _guard(self, work: object) -> None:
        try:
            await work  # type: ignore[misc]
        except Exception as error:
            _log.error("collector fault", exc_info=error)
