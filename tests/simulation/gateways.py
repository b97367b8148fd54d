"""Several gateways over one PostgreSQL: each the real services on an event loop of its own, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.unit.world import KEY, RootKey, StillClock

from elasticlake.blobs.digests import Digests
from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.metadata import blob_records
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.snapshot import snapshot
from elasticlake.model.accounts import Caller, Scope
from elasticlake.model.objects import Attributes
from elasticlake.service.accounts import Accounts
from elasticlake.service.buckets import Buckets
from elasticlake.service.check import Check
from elasticlake.service.context import Request, SpaceGuard, Stores
from elasticlake.service.hierarchy import Hierarchy
from elasticlake.service.multipart import Multipart
from elasticlake.service.objects import Objects

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class WholeBody:
    """A body that is there already."""

    data: bytes = b"x"
    algorithms: frozenset[str] = frozenset()

    @property
    def length(self) -> int | None:
        return len(self.data)

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        yield self.data

    async def whole(self) -> bytes:
        return self.data

    def verify(self, digests: Digests) -> None:
        """Nobody claimed anything of these bytes."""


class Gateway:
    """One gateway. Its coroutines run in its own thread; `start` hands one over."""

    def __init__(self, url: str, folder: Path, name: str) -> None:
        self.name = name
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()
        self.database = PostgresDatabase(url)
        self._blobs = FileBlobs(folder, LocalDisk(), threads=1)
        clock = StillClock()
        stores = Stores(self.database, self._blobs, clock, SpaceGuard(self._blobs, clock, 0), name)
        self.buckets, self.objects, self.multipart = Buckets(stores), Objects(stores), Multipart(stores)
        self.accounts, self.hierarchy = Accounts(stores, KEY, RootKey()), Hierarchy(stores)

    def start(self, work: Callable[[], Awaitable[T]]) -> Future[T]:
        async def run() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self.loop)

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        return self.start(work).result(PATIENCE_SECONDS)

    async def put(self, bucket_name: str, key: bytes, data: bytes = b"x") -> int:
        """Put an object as a request does; returns its sequence."""
        bucket = await self.objects.authorize_put(request(), bucket_name, key)
        version = await self.objects.put(request(), bucket, key, WholeBody(data), Attributes())
        return version.sequence

    def close(self) -> None:
        self.run(self.database.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        self._blobs.close()


def request(account_id: str = "root") -> Request:
    return Request(Caller(account_id, "AKID", Scope()), "REQUEST")


def outcomes(futures: list[Future[Any]]) -> list[Any]:
    """What became of each: its result or its error."""
    done = []
    for future in futures:
        try:
            done.append(future.result(PATIENCE_SECONDS))
        except Exception as error:
            done.append(error)
    return done


def findings(url: str, folder: Path) -> list[str]:
    """What the integrity check says, and what of the blobs' records points at nothing."""
    blobs = FileBlobs(folder, LocalDisk(), threads=1)
    try:
        with snapshot(url) as reader:
            assert reader is not None
            found = asyncio.run(Check(reader, blobs, read_bodies=False).run())
            intents = blob_records.owners(reader)
            lost = reader.rows("SELECT upload_id FROM parts WHERE upload_id NOT IN (SELECT id FROM uploads)")
            doomed = reader.rows(
                "SELECT blob_id FROM blob_deletions WHERE blob_id IN (SELECT blob_id FROM manifests)"
                " OR blob_id IN (SELECT blob_id FROM parts)"
            )
            stored = {path.name for path in folder.rglob("*") if path.is_file() and path.parent.name != "tmp"}
            unknown = blob_records.unknown(reader, sorted(stored))
    finally:
        blobs.close()
    found += [f"an intent of {owner} is left" for owner in intents]
    found += [f"parts of upload {row[0]} belong to none" for row in lost]
    found += [f"blob {row[0]} is named and waits for its deletion" for row in doomed]
    found += [f"blob {blob_id} is known to nobody" for blob_id in unknown]
    return found
