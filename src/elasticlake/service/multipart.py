"""Multipart uploads: parts are blobs, and the completed object is a manifest of them, never a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from elasticlake.blobs.digests import multipart_etag
from elasticlake.errors import (
    AccessDenied,
    ChecksumMismatch,
    EntityTooLarge,
    EntityTooSmall,
    InvalidInput,
    InvalidPart,
    InvalidPartOrder,
    NoSuchBucket,
    NoSuchUpload,
)
from elasticlake.metadata import blob_records, buckets, uploads
from elasticlake.metadata.database import Reader, Touching, Transaction
from elasticlake.metadata.uploads import CompletedUpload
from elasticlake.model.accounts import Caller, Permission
from elasticlake.model.ids import new_blob_id, new_upload_id
from elasticlake.model.objects import (
    MAX_OBJECT_BYTES,
    MAX_PARTS,
    MIN_PART_BYTES,
    Acl,
    Attributes,
    BlobPart,
    Bucket,
    Checksum,
    ChecksumType,
    Part,
    Upload,
    require_key,
)
from elasticlake.service import versions
from elasticlake.service.access import bucket_for, may, owns
from elasticlake.service.checksums import checksum_of, checksum_of_parts, default_type
from elasticlake.service.conditions import NONE, Conditions
from elasticlake.service.context import Request, Stores
from elasticlake.service.intake import Body, keep, receive
from elasticlake.service.listing import Page, list_page
from elasticlake.service.versions import Change, NewContent


class ClaimedChecksum(NamedTuple):
    """The whole object's checksum as the completing request gives it."""

    algorithm: str
    value: str


class NamedPart(NamedTuple):
    """A part as the completing request names it."""

    part_number: int
    etag: str
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a client says when it completes an upload."""

    parts: Sequence[NamedPart]
    checksum: ClaimedChecksum | None = None
    checksum_type: ChecksumType | None = None
    size_bytes: int | None = None
    """What the client believes that its parts add up to."""
    conditions: Conditions = NONE


@dataclass(frozen=True, slots=True)
class Completed:
    """The object that an upload became."""

    bucket: Bucket
    key: bytes
    etag: str
    checksum: Checksum | None


class Multipart:
    """The multipart operations over the stores."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def create(
        self,
        request: Request,
        bucket_name: str,
        key: bytes,
        attributes: Attributes,
        *,
        acl: Acl = "private",
        checksum_algorithm: str | None = None,
        checksum_type: ChecksumType | None = None,
    ) -> Upload:
        """Begin an upload; raises `NoSuchBucket` if the bucket went meanwhile, even if another has its name."""
        database = self._stores.database
        bucket = await bucket_for(database, request.caller, bucket_name, "write", require_key(key))
        self._stores.space.require()
        if checksum_algorithm is not None and checksum_type is None:
            checksum_type = default_type(checksum_algorithm)
        upload = Upload(
            new_upload_id(),
            bucket.id,
            key,
            self._stores.clock.now_ms(),
            attributes,
            acl,
            checksum_algorithm,
            checksum_type,
            request.caller.account_id or "",
        )

        def mutation(tx: Transaction) -> None:
            if buckets.get(tx, bucket_name).id != bucket.id:
                raise NoSuchBucket
            uploads.insert(tx, upload)

        await database.write(mutation, touching=Touching(bucket_name))
        return upload

    async def find(
        self, caller: Caller, bucket_name: str, key: bytes, upload_id: str, permission: Permission = "write"
    ) -> tuple[Bucket, Upload]:
        """The upload under way; raises `NoSuchBucket`, `AccessDenied`, `NoSuchUpload`."""
        require_key(key)
        bucket, upload = await self._stores.database.read(
            lambda reader: (buckets.get(reader, bucket_name), uploads.get(reader, upload_id))
        )
        if not may(caller, bucket, permission, key):
            raise AccessDenied
        if upload is None or upload.bucket_id != bucket.id or upload.key != key:
            raise NoSuchUpload
        return bucket, upload

    async def authorize_part(
        self, request: Request, bucket_name: str, key: bytes, upload_id: str, part_number: int
    ) -> Upload:
        """The upload, if the caller may add that part; before any byte of the body is read."""
        if not 1 <= part_number <= MAX_PARTS:
            raise InvalidInput("partNumber", "Part number must be an integer between 1 and 10000, inclusive")
        _, upload = await self.find(request.caller, bucket_name, key, upload_id)
        self._stores.space.require()
        return upload

    async def put_part(
        self, upload: Upload, part_number: int, body: Body, checksum_algorithm: str | None = None
    ) -> tuple[Part, Checksum | None]:
        """Store one part; a part of the same number before it is replaced."""
        received = await receive(self._stores, body, inline_bytes=0)
        algorithm = upload.checksum_algorithm or checksum_algorithm
        checksum = checksum_of(received.digests, algorithm) if algorithm else None
        now_ms = self._stores.clock.now_ms()
        blob_id = received.blob_id or ""
        part = Part(
            part_number, received.etag, received.size_bytes, blob_id, now_ms, checksum.value if checksum else None
        )

        def mutation(tx: Transaction) -> None:
            if uploads.get(tx, upload.id) is None:
                raise NoSuchUpload
            replaced = uploads.get_part(tx, upload.id, part_number)
            if blob_id:
                blob_records.consume_intent(tx, blob_id)
            uploads.put_part(tx, upload.id, part)
            if replaced is not None and replaced.blob_id:
                blob_records.delete_later(tx, [replaced.blob_id], now_ms + self._stores.blob_grace_ms)

        await keep(self._stores, received, mutation, Touching(upload=upload.id))
        return part, checksum

    async def list_parts(
        self, caller: Caller, bucket_name: str, key: bytes, upload_id: str, after: int, limit: int
    ) -> tuple[Upload, list[Part]]:
        """The upload and its parts by number beyond `after`; what a public bucket shows ends at its uploads' names."""
        bucket, upload = await self.find(caller, bucket_name, key, upload_id, "list")
        if not owns(caller, bucket):
            raise AccessDenied
        parts = await self._stores.database.read(lambda reader: uploads.list_parts(reader, upload_id, after, limit))
        return upload, parts

    async def list_uploads(
        self,
        caller: Caller,
        bucket_name: str,
        prefix: bytes,
        delimiter: bytes,
        key_marker: bytes,
        id_marker: str,
        limit: int,
    ) -> Page[Upload]:
        """Uploads under way by (key, id), beyond the markers."""
        bucket = await bucket_for(self._stores.database, caller, bucket_name, "list", prefix)

        def query(reader: Reader) -> Page[Upload]:
            def fetch(start: bytes, count: int) -> list[Upload]:
                beyond_id = id_marker if start == key_marker else ""
                found = uploads.list_from(reader, bucket.id, start, beyond_id, count)
                if len(found) == count:
                    found += uploads.others_of_key(reader, bucket.id, found[-1].key, found[-1].id)
                return found

            start = key_marker if id_marker and key_marker >= prefix else None
            return list_page(fetch, prefix=prefix, delimiter=delimiter, after=key_marker, limit=limit, start=start)

        return await self._stores.database.read(query)

    async def abort(self, request: Request, bucket_name: str, key: bytes, upload_id: str) -> None:
        """Give the upload up; raises `NoSuchUpload`."""
        await self.find(request.caller, bucket_name, key, upload_id)
        delete_at_ms = self._stores.clock.now_ms() + self._stores.blob_grace_ms

        def mutation(tx: Transaction) -> None:
            if uploads.get(tx, upload_id) is None:
                raise NoSuchUpload
            parts = uploads.delete(tx, upload_id)
            blob_records.delete_later(tx, [part.blob_id for part in parts if part.blob_id], delete_at_ms)

        await self._stores.database.write(mutation, touching=Touching(upload=upload_id))

    async def complete(
        self, request: Request, bucket_name: str, key: bytes, upload_id: str, completion: Completion
    ) -> Completed:
        """Make the object of the named parts; asked again after it succeeded, answers the same again.

        Raises `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `EntityTooLarge`,
        `ChecksumMismatch`, `InvalidInput`, and what the conditions say; then the upload is as it was.
        """
        database = self._stores.database
        bucket = await bucket_for(database, request.caller, bucket_name, "write", require_key(key))
        change = Change(
            bucket,
            key,
            "CompleteMultipartUpload",
            request,
            self._stores.clock.now_ms(),
            self._stores.blob_grace_ms,
            completion.conditions,
        )
        mutation = partial(_complete, change=change, upload_id=upload_id, completion=completion)
        touching = Touching(bucket_name, (key,), upload=upload_id)
        return await database.write(mutation, touching=touching, long=len(completion.parts) > 10)


def _complete(tx: Transaction, change: Change, upload_id: str, completion: Completion) -> Completed:
    bucket, key = change.bucket, change.key
    upload = uploads.get(tx, upload_id)
    if upload is None:
        return _completed_before(tx, change, upload_id)
    if upload.bucket_id != bucket.id or upload.key != key:
        raise NoSuchUpload
    chosen = _chosen_parts(tx, upload, completion)
    etag = multipart_etag([bytes.fromhex(part.etag) for part in chosen])
    checksum = _checksum(upload, completion, chosen)
    version = versions.put(tx, change, _content(chosen, etag), upload.attributes, upload.acl, checksum)
    versions.log_completed(tx, change, version)
    kept = {part.blob_id for part in chosen}
    left = [part.blob_id for part in uploads.delete(tx, upload_id) if part.blob_id and part.blob_id not in kept]
    versions.release_parts(tx, change, left)
    uploads.remember_completed(tx, upload_id, CompletedUpload(bucket.id, key, etag, checksum), change.now_ms)
    return Completed(bucket, key, etag, checksum)


def _completed_before(reader: Reader, change: Change, upload_id: str) -> Completed:
    done = uploads.get_completed(reader, upload_id)
    if done is None or done.bucket_id != change.bucket.id or done.key != change.key:
        raise NoSuchUpload
    return Completed(change.bucket, done.key, done.etag, done.checksum)


def _chosen_parts(reader: Reader, upload: Upload, completion: Completion) -> list[Part]:
    stored = {part.part_number: part for part in uploads.list_parts(reader, upload.id, 0, -1)}
    chosen: list[Part] = []
    for named in completion.parts:
        if chosen and named.part_number <= chosen[-1].part_number:
            raise InvalidPartOrder
        part = stored.get(named.part_number)
        if part is None or part.etag != named.etag:
            raise InvalidPart
        if named.checksum is not None and part.checksum is not None and named.checksum != part.checksum:
            raise InvalidPart
        chosen.append(part)
    _check_sizes(chosen, completion.size_bytes)
    return chosen


def _check_sizes(chosen: list[Part], claimed_bytes: int | None) -> None:
    if any(part.size_bytes < MIN_PART_BYTES for part in chosen[:-1]):
        raise EntityTooSmall
    total = sum(part.size_bytes for part in chosen)
    if total > MAX_OBJECT_BYTES:
        raise EntityTooLarge
    if claimed_bytes not in (None, total):
        raise InvalidInput("x-amz-mp-object-size", f"The parts have {total} bytes, not {claimed_bytes}.")


def _checksum(upload: Upload, completion: Completion, chosen: list[Part]) -> Checksum | None:
    algorithm, claimed = upload.checksum_algorithm, completion.checksum
    if algorithm is None:
        if claimed is not None:
            raise InvalidInput("x-amz-checksum-algorithm", "The upload was created without a checksum algorithm.")
        return None
    kind = upload.checksum_type or default_type(algorithm)
    if completion.checksum_type is not None and completion.checksum_type != kind:
        raise InvalidInput("x-amz-checksum-type", "The checksum type does not match that of the upload.")
    checksum = checksum_of_parts(algorithm, kind, chosen)
    if claimed is not None and (checksum is None or not _holds(claimed, checksum)):
        raise ChecksumMismatch(claimed.algorithm)
    return checksum


def _holds(claimed: ClaimedChecksum, checksum: Checksum) -> bool:
    """Clients give a composite checksum with its `-N` or without."""
    values = (checksum.value, checksum.value.partition("-")[0])
    return claimed.algorithm == checksum.algorithm and claimed.value in values


def _content(chosen: list[Part], etag: str) -> NewContent:
    blobs = [part for part in chosen if part.blob_id]
    parts = tuple(BlobPart(part.part_number, part.blob_id, part.size_bytes, part.checksum) for part in blobs)
    total = sum(part.size_bytes for part in chosen)
    return NewContent(total, etag, parts=parts, manifest_id=new_blob_id(), parts_count=len(chosen))
