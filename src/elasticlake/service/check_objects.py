"""Objects as the integrity check looks at them: a page at a time, its events, bodies and blobs fetched together."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterable, Iterator

from elasticlake.blobs.digests import Digests, multipart_etag
from elasticlake.blobs.store import BlobMissing, BlobStore
from elasticlake.metadata import audit
from elasticlake.metadata.audit import AuditedBucket, AuditReader, LastEvent
from elasticlake.model.objects import BlobPart, ObjectVersion

SIZES_AT_ONCE = 32
BODIES_AT_ONCE = 4
# What is in memory at once, whatever a page holds: inline bodies of so many bytes, or so many parts.
_RUN_BYTES = 8 * 1024 * 1024
_RUN_PARTS = 10_000


class ObjectCheck:
    """Compares objects with their events and their bytes."""

    def __init__(self, reader: AuditReader, blobs: BlobStore, *, read_bodies: bool) -> None:
        self._reader = reader
        self._blobs = blobs
        self._read_bodies = read_bodies

    async def check(self, bucket: AuditedBucket, page: list[ObjectVersion]) -> list[str]:
        """What is wrong with consecutive objects of the bucket."""
        findings: list[str] = []
        for run in _runs(page):
            findings += await self._check_run(bucket, run)
        return findings

    async def _check_run(self, bucket: AuditedBucket, run: list[ObjectVersion]) -> list[str]:
        events = audit.last_events(self._reader, bucket.id, run)
        findings = {version.key: list(_compare_event(bucket, version, events)) for version in run}
        bodies = audit.inline_bodies(self._reader, bucket.id, run)
        manifests = audit.manifests(self._reader, bucket.id, run)
        large: list[tuple[ObjectVersion, list[BlobPart]]] = []
        for version in run:
            if version.content.manifest_id is not None:
                large.append((version, manifests.get(version.content.manifest_id, [])))
            else:
                findings[version.key] += _check_inline(version, bodies)
        for (version, _), found in zip(large, await self._check_large(large), strict=True):
            findings[version.key] += found
        name = bucket.name
        return [
            f"{name}/{key.decode('utf-8', 'replace')}: {finding}" for key, some in findings.items() for finding in some
        ]

    async def _check_large(self, large: list[tuple[ObjectVersion, list[BlobPart]]]) -> list[list[str]]:
        sizes = await blob_sizes(self._blobs, (part.blob_id for _, parts in large for part in parts))
        found: list[list[str]] = []
        for start in range(0, len(large), BODIES_AT_ONCE):
            some = large[start : start + BODIES_AT_ONCE]
            found += await asyncio.gather(*(self._check_blobs(version, parts, sizes) for version, parts in some))
        return found

    async def _check_blobs(
        self, version: ObjectVersion, parts: list[BlobPart], sizes: dict[str, int | None]
    ) -> list[str]:
        for part in parts:
            size = sizes[part.blob_id]
            if size is None:
                return [f"blob {part.blob_id} is missing"]
            if size != part.size_bytes:
                return [f"blob {part.blob_id} has {size} bytes instead of {part.size_bytes}"]
        size_bytes = sum(part.size_bytes for part in parts)
        if not self._read_bodies:
            return _compare_bytes(version, None, size_bytes)
        digests = [await self._digest_blob(part, version) for part in parts if part.blob_id]
        return _compare_bytes(version, digests, size_bytes)

    async def _digest_blob(self, part: BlobPart, version: ObjectVersion) -> Digests:
        digests = Digests(_algorithms(version))
        try:
            async for piece in self._blobs.read(part.blob_id, 0, part.size_bytes):
                digests.update(piece)
        except BlobMissing:
            return Digests(_algorithms(version))
        return digests


async def blob_sizes(blobs: BlobStore, blob_ids: Iterable[str]) -> dict[str, int | None]:
    """The size of each blob, None if it is missing; the empty id stands for no bytes."""
    wanted = list(dict.fromkeys(blob_id for blob_id in blob_ids if blob_id))
    sizes: dict[str, int | None] = {"": 0}
    for start in range(0, len(wanted), SIZES_AT_ONCE):
        some = wanted[start : start + SIZES_AT_ONCE]
        found = await asyncio.gather(*(blobs.size(blob_id) for blob_id in some))
        sizes.update(zip(some, found, strict=True))
    return sizes


def _runs(page: list[ObjectVersion]) -> Iterator[list[ObjectVersion]]:
    """The page in pieces whose bodies and manifests fit into memory."""
    run: list[ObjectVersion] = []
    size_bytes, parts = 0, 0
    for version in page:
        own_bytes = version.size_bytes if version.content.inline_id is not None else 0
        own_parts = version.parts_count or 1
        if run and (size_bytes + own_bytes > _RUN_BYTES or parts + own_parts > _RUN_PARTS):
            yield run
            run, size_bytes, parts = [], 0, 0
        run.append(version)
        size_bytes, parts = size_bytes + own_bytes, parts + own_parts
    if run:
        yield run


def _compare_event(bucket: AuditedBucket, version: ObjectVersion, events: dict[bytes, LastEvent]) -> Iterator[str]:
    last = events.get(version.key)
    if last is not None and last.etag != version.etag:
        yield f"event {last.sequence} has etag {last.etag}, the object {version.etag}"
    if last is None and version.sequence >= bucket.first_sequence:
        yield "has no event"


def _check_inline(version: ObjectVersion, bodies: dict[int, bytes]) -> list[str]:
    identity = version.content.inline_id
    body = b"" if identity is None else bodies.get(identity)
    if body is None:
        return ["its inline body is missing"]
    digests = Digests(_algorithms(version))
    digests.update(body)
    return _compare_bytes(version, [digests], len(body))


def _algorithms(version: ObjectVersion) -> set[str]:
    checksum = version.checksum
    return {"md5"} | ({checksum.algorithm.lower()} if checksum else set())


def _compare_bytes(version: ObjectVersion, digests: list[Digests] | None, size_bytes: int) -> list[str]:
    if size_bytes != version.size_bytes:
        return [f"holds {size_bytes} bytes instead of {version.size_bytes}"]
    if digests is None:
        return []
    if version.parts_count is None and digests:
        etag = digests[0].digest("md5").hex()
    elif len(digests) == version.parts_count:
        etag = multipart_etag([one.digest("md5") for one in digests])
    else:
        # An empty part has no blob, so its MD5 is not here to be combined.
        etag = version.etag
    if etag != version.etag:
        return [f"its bytes have etag {etag} instead of {version.etag}"]
    checksum = version.checksum
    if checksum is not None and checksum.type == "FULL_OBJECT" and len(digests) == 1:
        value = b64encode(digests[0].digest(checksum.algorithm.lower())).decode()
        if value != checksum.value:
            return [f"its bytes have {checksum.algorithm} {value} instead of {checksum.value}"]
    return []
