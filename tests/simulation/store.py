"""The real services over a folder, and what can be seen of the store through them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.model import (
    Abort,
    Complete,
    Copy,
    CreateBucket,
    CreateUpload,
    Delete,
    DeleteBucket,
    DeleteMany,
    Model,
    ModelEvent,
    ModelObject,
    ModelUpload,
    Operation,
    Put,
    PutPart,
    SetAcl,
    SetBucketAcl,
    md5,
)
from tests.unit.world import START_MS, Alone, StillClock

from elasticlake.blobs.digests import Digests
from elasticlake.blobs.disk import Disk, LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.metadata import audit, events, uploads
from elasticlake.metadata.database import Reader
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import connect
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.model.accounts import Caller, Scope
from elasticlake.model.objects import Attributes
from elasticlake.service.buckets import Buckets
from elasticlake.service.check import Check
from elasticlake.service.collector import Collector
from elasticlake.service.conditions import NONE, Conditions
from elasticlake.service.context import Request, SpaceGuard, Stores
from elasticlake.service.multipart import Completion, Multipart, NamedPart
from elasticlake.service.objects import CopySource, Objects

DATABASE = "metadata.db"
BLOBS = "blobs"
CALLER = Caller("root", "AKID", Scope())
DAY_MS = 86_400_000
# Time goes on from each life of a store to the next.
_starts = itertools.count()


@dataclass
class MemoryBody:
    """A request's body."""

    data: bytes
    length: int | None = field(init=False)
    algorithms: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.length = len(self.data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.data

    async def whole(self) -> bytes:
        return self.data

    def verify(self, digests: Digests) -> None:
        """Nothing was claimed."""


def prepare(folder: Path) -> None:
    """A store's folder before its first start."""
    folder.mkdir(exist_ok=True)
    (folder / BLOBS).mkdir(exist_ok=True)
    connection = connect(folder / DATABASE, durable=False)
    migrate_sqlite(connection, "core")
    connection.close()


@dataclass
class Store:
    """The services over the stores in `folder`."""

    folder: Path
    stores: Stores
    database: SqliteDatabase
    blobs: FileBlobs
    clock: StillClock
    buckets: Buckets
    objects: Objects
    multipart: Multipart
    collector: Collector
    upload_ids: dict[str, str] = field(default_factory=dict)

    async def perform(self, operation: Operation, request_id: str) -> None:
        """Do the operation as a client's request would; raises what the service raises."""
        request = Request(CALLER, request_id)
        match operation:
            case CreateBucket(bucket, acl):
                await self.buckets.create(request, bucket, acl=acl)
            case DeleteBucket(bucket):
                await self.buckets.delete(request, bucket)
            case SetBucketAcl(bucket, acl):
                await self.buckets.set_acl(request, bucket, acl)
            case Put():
                await self._put(operation, request)
            case Delete(bucket, key, if_match):
                await self.objects.delete(request, bucket, key, Conditions(if_match=if_match) if if_match else NONE)
            case DeleteMany(bucket, keys):
                await self.objects.delete_many(request, bucket, [(key, NONE) for key in keys])
            case Copy(source_bucket, source_key, bucket, key, metadata):
                target = await self.objects.authorize_put(request, bucket, key)
                attributes = None if metadata is None else Attributes(metadata=metadata)
                source = CopySource(source_bucket, source_key)
                await self.objects.copy(request, source, target, key, attributes=attributes)
            case SetAcl(bucket, key, acl):
                await self.objects.set_acl(request, bucket, key, acl)
            case CreateUpload(bucket, key, label):
                upload = await self.multipart.create(request, bucket, key, Attributes(metadata={"label": label}))
                self.upload_ids[label] = upload.id
            case PutPart(bucket, key, label, number, body):
                upload_id = self.upload_ids.get(label, label)
                found = await self.multipart.authorize_part(request, bucket, key, upload_id, number)
                await self.multipart.put_part(found, number, MemoryBody(body))
            case Complete(bucket, key, label, numbers):
                upload_id = self.upload_ids.get(label, label)
                parts = await self._named_parts(upload_id, numbers)
                await self.multipart.complete(request, bucket, key, upload_id, Completion(parts))
            case Abort(bucket, key, label):
                await self.multipart.abort(request, bucket, key, self.upload_ids.get(label, label))

    async def _put(self, operation: Put, request: Request) -> None:
        bucket = await self.objects.authorize_put(request, operation.bucket, operation.key)
        asked = Conditions(if_match=operation.if_match, if_none_match=operation.if_none_match)
        await self.objects.put(
            request,
            bucket,
            operation.key,
            MemoryBody(operation.body),
            Attributes(metadata=operation.metadata),
            acl=operation.acl,
            conditions=asked or NONE,
        )

    async def _named_parts(self, upload_id: str, numbers: tuple[int, ...]) -> list[NamedPart]:
        stored = await self.database.read(lambda reader: uploads.list_parts(reader, upload_id, 0, -1))
        etags = {part.part_number: part.etag for part in stored}
        return [NamedPart(number, etags.get(number, "0" * 32)) for number in numbers]

    async def recover(self) -> None:
        """What a server does when it starts."""
        await self.collector.abandon_own_intents()
        await self.collector.sweep()

    async def collect_everything(self) -> None:
        """Let every grace period pass, and delete what may go."""
        self.clock.time_ms += 2 * self.stores.blob_grace_ms
        await self.collector.collect()
        await self.collector.sweep()

    async def findings(self) -> list[str]:
        """What the integrity check finds, and blobs that nothing names or that are named and gone."""
        reader = await self.database.read(lambda reader: reader)
        found = await Check(reader, self.blobs).run()
        rows = await self.database.read(
            lambda reader: reader.rows("SELECT blob_id FROM manifests UNION SELECT blob_id FROM parts")
        )
        named = {row[0] for row in rows if row[0]}
        there = {blob_id async for blob_id in self.blobs.ids()}
        found += [f"blob {blob_id} belongs to nothing" for blob_id in sorted(there - named)]
        found += [f"blob {blob_id} is gone" for blob_id in sorted(named - there)]
        return found

    async def seen(self) -> Model:
        """The store's content, as the model writes it."""
        return await read_model(self)


async def read_model(store: Store) -> Model:
    """Everything that the store holds, read from its rows and through its reads."""
    model = Model()

    def rows(reader: Reader) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in reader.rows("SELECT name, acl FROM buckets WHERE deleted_at_ms IS NULL")]

    for name, acl in await store.database.read(rows):
        model.buckets[name] = acl  # type: ignore[assignment]
        _, page = await store.objects.list_page(CALLER, name, prefix=b"", delimiter=b"", after=b"", limit=10_000)
        for listed in page.items:
            found = await store.objects.find(CALLER, name, listed.key)
            pieces = [bytes(piece) async for piece in store.objects.read(found, 0, found.version.size_bytes)]
            metadata = tuple(sorted(found.version.attributes.metadata.items()))
            version = found.version
            model.objects[name, listed.key] = ModelObject(b"".join(pieces), version.etag, metadata, version.acl)
    await _read_uploads(store, model)
    model.events = await store.database.read(logged_events)
    return model


async def _read_uploads(store: Store, model: Model) -> None:
    for name in model.buckets:
        page = await store.multipart.list_uploads(CALLER, name, b"", b"", b"", "", 10_000)
        for upload in page.items:
            label = upload.attributes.metadata["label"]
            store.upload_ids[label] = upload.id
            parts = []
            _, stored = await store.multipart.list_parts(CALLER, name, upload.key, upload.id, 0, 10_000)
            for part in stored:
                read = store.blobs.read(part.blob_id, 0, part.size_bytes) if part.blob_id else _nothing()
                body = b"".join([bytes(piece) async for piece in read])
                assert md5(body) == part.etag
                parts.append((part.part_number, body))
            model.uploads[label] = ModelUpload(name, upload.key, tuple(parts))


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def logged_events(reader: Reader) -> list[ModelEvent]:
    """Every event of every bucket, bucket by bucket, in sequence."""
    found = []
    for bucket in audit.buckets(reader):
        for event in events.after(reader, bucket.id, 0, 100_000):
            previous = (event.previous.size_bytes, event.previous.etag) if event.previous else None
            found.append(
                ModelEvent(
                    event.request_id or "",
                    event.bucket,
                    event.type,
                    event.key,
                    event.size_bytes,
                    event.etag,
                    event.reason,
                    previous,
                )
            )
    return found


@asynccontextmanager
async def open_store(
    folder: Path, *, disk: Disk | None = None, vfs: str | None = None, durable: bool = True
) -> AsyncIterator[Store]:
    """The services over the folder, closed in the end."""
    database = SqliteDatabase(folder / DATABASE, durable=durable, vfs=vfs)
    blobs = FileBlobs(folder / BLOBS, disk or LocalDisk(), threads=2)
    clock = StillClock(START_MS + next(_starts) * DAY_MS)
    stores = Stores(database, blobs, clock, SpaceGuard(blobs, clock, 0), "gateway-0")
    try:
        yield Store(
            folder,
            stores,
            database,
            blobs,
            clock,
            Buckets(stores),
            Objects(stores),
            Multipart(stores),
            Collector(stores, Alone()),
        )
    finally:
        await database.close()
        blobs.close()
