"""Blobs on their way to another store, and the proof that all of them are there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from elasticlake.blobs.store import BlobMissing, BlobStore
from elasticlake.metadata import blob_records
from elasticlake.metadata.database import Reader
from elasticlake.metadata.postgres.transfer import Transfer
from elasticlake.service.check import Progress
from elasticlake.service.check_objects import blob_sizes

AT_ONCE = 8
"""How many are copied at once: each holds a few parts of the target's in memory."""


@dataclass(frozen=True, slots=True)
class Copying:
    """Every blob that the rows name, from one store to another; `name` is what the target remembers it by."""

    name: str
    reader: Reader
    source: BlobStore
    target: BlobStore

    async def run(self, transfer: Transfer, progress: Progress) -> None:
        """Copy what the target does not have. A blob that the source does not have is passed over: from there on the
        target remembers nothing, so that the next run tries again."""
        total, is_whole = blob_records.count_named(self.reader), True
        last, done = transfer.part(self.name)
        after = str(last[0]) if last is not None else ""
        for page in blob_records.named_with_sizes(self.reader, after):
            for start in range(0, len(page), AT_ONCE):
                some = page[start : start + AT_ONCE]
                is_whole &= all(await asyncio.gather(*(self._copy(*blob) for blob in some)))
                done += len(some)
                progress("blobs", done, total)
            if is_whole:
                transfer.note(self.name, (page[-1][0],), done)

    async def _copy(self, blob_id: str, size_bytes: int) -> bool:
        """Whether the target has the blob now."""
        if await self.target.size(blob_id) == size_bytes:
            return True
        writer = await self.target.create(blob_id)
        try:
            async for piece in self.source.read(blob_id, 0, size_bytes):
                await writer.write(piece)
            await writer.commit()
        except BlobMissing:
            await writer.abort()
            return False
        except BaseException:
            await asyncio.shield(writer.abort())
            raise
        return True


async def missing_blobs(reader: Reader, store: BlobStore, progress: Progress) -> AsyncIterator[str]:
    """The blobs that the rows name and the store does not have in their size."""
    total, done = blob_records.count_named(reader), 0
    for page in blob_records.named_with_sizes(reader, ""):
        sizes = await blob_sizes(store, (blob_id for blob_id, _ in page))
        for blob_id, size_bytes in page:
            if sizes[blob_id] != size_bytes:
                yield f"blob {blob_id}: {_said(sizes[blob_id])} instead of {size_bytes} bytes"
        done += len(page)
        progress("blobs there", done, total)


def _said(size_bytes: int | None) -> str:
    return "nothing" if size_bytes is None else f"{size_bytes} bytes"
