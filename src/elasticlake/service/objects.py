"""Operations on objects: put, get, delete, copy, ACL."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from elasticlake.blobs.digests import Digests
from elasticlake.blobs.store import BlobMissing
from elasticlake.errors import AccessDenied, ElasticLakeError, NoSuchKey
from elasticlake.metadata import buckets, objects
from elasticlake.metadata.database import Reader, Touching, Transaction
from elasticlake.model.accounts import Caller
from elasticlake.model.ids import new_blob_id
from elasticlake.model.objects import (
    Acl,
    Attributes,
    BlobPart,
    Bucket,
    ListedObject,
    ObjectVersion,
    require_key,
    require_put_size,
)
from elasticlake.record import record
from elasticlake.service import versions
from elasticlake.service.access import bucket_for, may, may_read
from elasticlake.service.checksums import checksum_of
from elasticlake.service.conditions import NONE, Conditions, check_read, check_source
from elasticlake.service.context import Request, Stores
from elasticlake.service.intake import Body, Received, keep, receive
from elasticlake.service.listing import Page, list_page
from elasticlake.service.versions import Change, NewContent

_log = structlog.get_logger("objects")

NOT_COPIED = ("x-amz-storage-class", "x-amz-website-redirect-location")
"""System headers that every object has of its own (CopyObject, Amazon S3 API Reference)."""


@record
class Found:
    """An object that the caller may read, and how to read it."""

    bucket: Bucket
    version: ObjectVersion
    inline: bytes | None
    parts: tuple[BlobPart, ...]


@dataclass(frozen=True, slots=True)
class CopySource:
    """Which object a copy takes, under which conditions, and whether what is said of it comes along."""

    bucket: str
    key: bytes
    conditions: Conditions = NONE


class Objects:
    """The object operations over the stores."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def authorize_put(self, request: Request, bucket_name: str, key: bytes) -> Bucket:
        """The bucket, if the caller may write the key and there is room; before any byte of the body is read."""
        bucket = await bucket_for(self._stores.database, request.caller, bucket_name, "write", require_key(key))
        self._stores.space.require()
        return bucket

    async def put(
        self,
        request: Request,
        bucket: Bucket,
        key: bytes,
        body: Body,
        attributes: Attributes,
        *,
        acl: Acl = "private",
        checksum_algorithm: str | None = None,
        conditions: Conditions = NONE,
        reason: str = "PutObject",
    ) -> ObjectVersion:
        """Store `body` under `key`; durable when this returns (I1).

        Raises what `receive` and the conditions raise, and `NoSuchBucket` if the bucket went meanwhile; then nothing is
        stored.
        """
        received = await receive(self._stores, body)
        checksum = checksum_of(received.digests, checksum_algorithm)
        change = self._change(request, bucket, key, reason, conditions)
        new = new_content(received)
        return await keep(
            self._stores,
            received,
            lambda tx: versions.put(tx, change, new, attributes, acl, checksum),
            Touching(bucket.name.name, (key,)),
        )

    async def find(self, caller: Caller, bucket_name: str, key: bytes, conditions: Conditions = NONE) -> Found:
        """The object and where its bytes are.

        Raises `NoSuchBucket`, `NoSuchKey`, `AccessDenied`, and what the conditions say.

        Whoever may not list the bucket learns nothing of which keys exist: `AccessDenied` in place of `NoSuchKey`.
        """
        require_key(key)
        found = await self._stores.database.read(lambda reader: _look_up(reader, bucket_name, key), loose=True)
        if isinstance(found, Found) and found.version.content.manifest_id is not None and not found.parts:
            # It was replaced between two statements of a loose read: look at one moment.
            found = await self._stores.database.read(lambda reader: _look_up(reader, bucket_name, key))
        if not isinstance(found, Found):
            may_know = may(caller, found, "read", key) or may(caller, found, "list", key)
            raise NoSuchKey if may_know else AccessDenied
        if not may_read(caller, found.bucket, found.version):
            raise AccessDenied
        if conditions is not NONE:
            check_read(conditions, found.version)
        return found

    def read(self, found: Found, offset: int, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """`size_bytes` of the object from `offset` on, in pieces."""
        if found.inline is not None or not found.parts:
            return _once((found.inline or b"")[offset : offset + size_bytes])
        return self._read_parts(found, offset, size_bytes)

    async def _read_parts(self, found: Found, offset: int, size_bytes: int) -> AsyncGenerator[bytes, None]:
        for part in found.parts:
            if size_bytes <= 0:
                return
            if offset >= part.size_bytes:
                offset -= part.size_bytes
                continue
            wanted = min(part.size_bytes - offset, size_bytes)
            try:
                async for piece in self._stores.blobs.read(part.blob_id, offset, wanted):
                    yield piece
            except BlobMissing:
                key = found.version.key.decode()
                _log.error("blob missing", bucket=found.bucket.name.name, key=key, blob=part.blob_id)
                raise
            offset, size_bytes = 0, size_bytes - wanted

    async def list_page(
        self, caller: Caller, bucket_name: str, *, prefix: bytes, delimiter: bytes, after: bytes, limit: int
    ) -> tuple[Bucket, Page[ListedObject]]:
        """One page of the bucket's keys and common prefixes."""
        bucket = await bucket_for(self._stores.database, caller, bucket_name, "list", prefix)

        def query(reader: Reader) -> Page[ListedObject]:
            def fetch(start: bytes, count: int) -> Sequence[ListedObject]:
                return objects.list_from(reader, bucket.id, start, count)

            return list_page(fetch, prefix=prefix, delimiter=delimiter, after=after, limit=limit)

        return bucket, await self._stores.database.read(query)

    async def delete(
        self,
        request: Request,
        bucket_name: str,
        key: bytes,
        conditions: Conditions = NONE,
        reason: str = "DeleteObject",
    ) -> ObjectVersion | None:
        """Remove the object; None if there was none, which is no error."""
        database = self._stores.database
        bucket = await bucket_for(database, request.caller, bucket_name, "delete", require_key(key))
        change = self._change(request, bucket, key, reason, conditions)
        touching = Touching(bucket_name, (key,))
        return await database.write(lambda tx: versions.delete(tx, change), touching=touching)

    async def delete_many(
        self, request: Request, bucket_name: str, wanted: list[tuple[bytes, Conditions]]
    ) -> list[ElasticLakeError | None]:
        """Remove many objects in one transaction; each key has its own outcome, None for success.

        Raises `NoSuchBucket`, and `AccessDenied` to an anonymous caller who may delete none of them.
        """
        database = self._stores.database
        bucket = await database.read(lambda reader: buckets.get(reader, bucket_name), loose=True)
        changes: list[Change | None] = []
        for key, conditions in wanted:
            allowed = may(request.caller, bucket, "delete", key)
            changes.append(self._change(request, bucket, key, "DeleteObjects", conditions) if allowed else None)
        allowed_count = sum(change is not None for change in changes)
        if not allowed_count:
            if request.caller.is_anonymous:
                raise AccessDenied
            # The one writer is not for those who may change nothing.
            return [AccessDenied() for _ in changes]

        def mutation(tx: Transaction) -> list[ElasticLakeError | None]:
            return [_attempt_delete(tx, change) for change in changes]

        touching = Touching(bucket_name, tuple(change.key for change in changes if change is not None))
        return await database.write(mutation, touching=touching, long=allowed_count > 10)

    async def copy(
        self,
        request: Request,
        source: CopySource,
        bucket: Bucket,
        key: bytes,
        *,
        attributes: Attributes | None,
        own_headers: Mapping[str, str] | None = None,
        acl: Acl = "private",
        checksum_algorithm: str | None = None,
        conditions: Conditions = NONE,
    ) -> ObjectVersion:
        """Copy an object; `attributes` None keeps the source's, but for the headers that a copy has of its own.

        A copy onto itself changes only what is said of the object: its bytes stay where they are. Raises
        `EntityTooLarge` beyond 5 GiB, and what `find` and the conditions raise."""
        found = await self.find(request.caller, source.bucket, source.key)
        check_source(source.conditions, found.version)
        version = found.version
        kept = attributes if attributes is not None else _copied(version.attributes, own_headers or {})
        change = self._change(request, bucket, key, "CopyObject", conditions)
        if found.bucket.id == bucket.id and version.key == key and checksum_algorithm is None:
            return await self._restate(change, source.conditions, attributes, own_headers or {}, acl)
        algorithm = checksum_algorithm or (version.checksum.algorithm if version.checksum else None)
        body = StoredBody(self, found, 0, version.size_bytes, algorithm)
        received = await receive(self._stores, body)
        checksum = checksum_of(received.digests, algorithm)
        new = new_content(received)
        return await keep(
            self._stores,
            received,
            lambda tx: versions.put(tx, change, new, kept, acl, checksum),
            Touching(bucket.name.name, (key,)),
        )

    async def _restate(
        self,
        change: Change,
        source_conditions: Conditions,
        attributes: Attributes | None,
        own_headers: Mapping[str, str],
        acl: Acl,
    ) -> ObjectVersion:
        """Copy an object onto itself. It may have been replaced since it was found, so all that was asked of the source
        is asked again of what is copied."""

        def mutation(tx: Transaction) -> ObjectVersion:
            current = objects.get(tx, change.bucket.id, change.key)
            if current is None:
                raise NoSuchKey
            if not may_read(change.request.caller, change.bucket, current):
                raise AccessDenied
            check_source(source_conditions, current)
            kept = attributes if attributes is not None else _copied(current.attributes, own_headers)
            restated = replace(current, attributes=kept, acl=acl, modified_at_ms=change.now_ms)
            return versions.modify(tx, change, restated)

        touching = Touching(change.bucket.name.name, (change.key,))
        return await self._stores.database.write(mutation, touching=touching)

    async def set_acl(self, request: Request, bucket_name: str, key: bytes, acl: Acl) -> None:
        """Change who may read the object; raises `NoSuchKey`."""
        database = self._stores.database
        bucket = await bucket_for(database, request.caller, bucket_name, "admin", require_key(key))
        change = self._change(request, bucket, key, "PutObjectAcl", NONE)

        def mutation(tx: Transaction) -> None:
            current = objects.get(tx, bucket.id, key)
            if current is None:
                raise NoSuchKey
            versions.modify(tx, change, replace(current, acl=acl))

        await database.write(mutation, touching=Touching(bucket_name, (key,)))

    def _change(self, request: Request, bucket: Bucket, key: bytes, reason: str, conditions: Conditions) -> Change:
        now_ms = self._stores.clock.now_ms()
        return Change(bucket, key, reason, request, now_ms, self._stores.blob_grace_ms, conditions)


def _look_up(reader: Reader, bucket_name: str, key: bytes) -> Found | Bucket:
    bucket = buckets.get(reader, bucket_name)
    row = objects.get_with_body(reader, bucket.id, key)
    if row is None:
        return bucket
    version, inline = row
    manifest = version.content.manifest_id
    parts = tuple(objects.get_manifest(reader, manifest)) if manifest is not None else ()
    return Found(bucket, version, inline, parts)


def _copied(attributes: Attributes, own_headers: Mapping[str, str]) -> Attributes:
    headers = {name: value for name, value in attributes.headers.items() if name not in NOT_COPIED}
    return replace(attributes, headers={**headers, **own_headers})


def _attempt_delete(tx: Transaction, change: Change | None) -> ElasticLakeError | None:
    if change is None:
        return AccessDenied()
    try:
        versions.delete(tx, change)
    except ElasticLakeError as error:
        return error
    return None


def new_content(received: Received) -> NewContent:
    """What a received body is to the transaction that stores it."""
    if received.blob_id is None:
        return NewContent(received.size_bytes, received.etag, inline=received.inline)
    return NewContent(
        received.size_bytes,
        received.etag,
        parts=(BlobPart(1, received.blob_id, received.size_bytes),),
        manifest_id=new_blob_id(),
        intents=(received.blob_id,),
    )


async def _once(data: bytes) -> AsyncGenerator[bytes, None]:
    if data:
        yield data


class StoredBody:
    """A range of a stored object as the body of another: what copies read."""

    def __init__(self, objects_: Objects, found: Found, offset: int, size_bytes: int, algorithm: str | None) -> None:
        self.length: int | None = require_put_size(size_bytes)
        self.algorithms = frozenset({algorithm.lower()} if algorithm else ())
        self._pieces = objects_.read(found, offset, size_bytes)

    def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        return self._pieces

    async def whole(self) -> bytes:
        return b"".join([piece async for piece in self._pieces])

    def verify(self, digests: Digests) -> None:
        """Nobody claimed anything of these bytes."""
