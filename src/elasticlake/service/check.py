"""The integrity check: everything that the invariants promise of the data at rest, looked at row by row."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Iterator

from elasticlake.blobs.digests import Digests, multipart_etag
from elasticlake.blobs.store import BlobMissing, BlobStore
from elasticlake.metadata import audit, objects
from elasticlake.metadata.database import Reader
from elasticlake.model.objects import BlobPart, ObjectVersion


class Check:
    """Finds what is wrong; each finding is a sentence. Finding nothing is the point."""

    def __init__(self, reader: Reader, blobs: BlobStore, *, read_bodies: bool = True) -> None:
        self._reader = reader
        self._blobs = blobs
        self._read_bodies = read_bodies
        self.checked_objects = 0
        self.checked_events = 0

    async def run(self) -> list[str]:
        """Every finding."""
        findings = list(audit.database_faults(self._reader))
        for bucket in audit.buckets(self._reader):
            findings += self._check_log(bucket)
            findings += [finding async for finding in self._check_objects(bucket)]
        findings += audit.unreachable_rows(self._reader)
        findings += self._check_part_blobs()
        return findings

    def _check_log(self, bucket: audit.AuditedBucket) -> Iterator[str]:
        """Sequences are gap-free from the first kept event to the bucket's last (I3)."""
        expected = bucket.first_sequence
        for sequence in audit.sequences(self._reader, bucket.id):
            self.checked_events += 1
            if sequence != expected:
                yield f"{bucket.name}: event {expected} is missing, {sequence} follows"
                expected = sequence
            expected += 1
        if expected != bucket.sequence + 1:
            yield f"{bucket.name}: the log ends at {expected - 1}, the bucket at {bucket.sequence}"

    async def _check_objects(self, bucket: audit.AuditedBucket) -> AsyncIterator[str]:
        count, size_bytes = 0, 0
        for version in audit.versions(self._reader, bucket.id):
            count, size_bytes = count + 1, size_bytes + version.size_bytes
            self.checked_objects += 1
            for finding in await self._check_version(bucket, version):
                yield f"{bucket.name}/{version.key.decode('utf-8', 'replace')}: {finding}"
        if (count, size_bytes) != (bucket.objects, bucket.size_bytes):
            said = f"its row says {bucket.objects} of {bucket.size_bytes}"
            yield f"{bucket.name}: holds {count} objects of {size_bytes} bytes, {said}"
        for key, event in audit.last_events_without_object(self._reader, bucket.id):
            yield f"{bucket.name}/{key.decode('utf-8', 'replace')}: last event {event}, but no such object"

    async def _check_version(self, bucket: audit.AuditedBucket, version: ObjectVersion) -> list[str]:
        findings = []
        last = audit.last_event(self._reader, bucket.id, version.key)
        if last is not None and last.etag != version.etag:
            findings.append(f"event {last.sequence} has etag {last.etag}, the object {version.etag}")
        if last is None and version.sequence >= bucket.first_sequence:
            findings.append("has no event")
        if version.content.inline_id is not None:
            body = objects.get_inline(self._reader, version.content.inline_id)
            if body is None:
                return [*findings, "its inline body is missing"]
            return findings + _compare(version, [_digest_of(body, version)], len(body))
        if version.content.manifest_id is None:
            return findings + _compare(version, [_digest_of(b"", version)], 0)
        parts = objects.get_manifest(self._reader, version.content.manifest_id)
        return findings + await self._check_blobs(version, parts)

    async def _check_blobs(self, version: ObjectVersion, parts: list[BlobPart]) -> list[str]:
        digests = []
        for part in parts:
            size = self._blobs.size(part.blob_id)
            if size is None:
                return [f"blob {part.blob_id} is missing"]
            if size != part.size_bytes:
                return [f"blob {part.blob_id} has {size} bytes instead of {part.size_bytes}"]
            if self._read_bodies:
                digests.append(await self._digest_blob(part, version))
        total = sum(part.size_bytes for part in parts)
        return _compare(version, digests if self._read_bodies else None, total)

    async def _digest_blob(self, part: BlobPart, version: ObjectVersion) -> Digests:
        digests = Digests(_algorithms(version))
        try:
            async for piece in self._blobs.read(part.blob_id, 0, part.size_bytes):
                digests.update(piece)
        except BlobMissing:
            return Digests(_algorithms(version))
        return digests

    def _check_part_blobs(self) -> Iterator[str]:
        for upload_id, part_number, blob_id, size_bytes in audit.parts(self._reader):
            size = self._blobs.size(blob_id) if blob_id else 0
            if size != size_bytes:
                yield f"upload {upload_id}, part {part_number}: blob {blob_id} has {size} bytes instead of {size_bytes}"


def _algorithms(version: ObjectVersion) -> set[str]:
    checksum = version.checksum
    return {"md5"} | ({checksum.algorithm.lower()} if checksum else set())


def _digest_of(body: bytes, version: ObjectVersion) -> Digests:
    digests = Digests(_algorithms(version))
    digests.update(body)
    return digests


def _compare(version: ObjectVersion, digests: list[Digests] | None, size_bytes: int) -> list[str]:
    if size_bytes != version.size_bytes:
        return [f"holds {size_bytes} bytes instead of {version.size_bytes}"]
    if digests is None:
        return []
    if version.parts_count is None:
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
