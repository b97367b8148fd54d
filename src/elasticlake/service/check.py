"""The integrity check: everything that the invariants promise of the data at rest, looked at row by row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

from elasticlake.blobs.store import BlobStore
from elasticlake.metadata import audit
from elasticlake.metadata.audit import AuditedBucket, AuditReader
from elasticlake.metadata.database import Reader
from elasticlake.service.check_objects import ObjectCheck, blob_sizes

Progress = Callable[[str, int, int], None]
"""Told what is being checked, how much of it is done, and how much there is."""


class Check:
    """Finds what is wrong; each finding is a sentence. Finding nothing is the point."""

    def __init__(
        self,
        reader: AuditReader,
        blobs: BlobStore,
        *,
        read_bodies: bool = True,
        progress: Progress = lambda stage, done, total: None,
    ) -> None:
        self._reader = reader
        self._blobs = blobs
        self._objects = ObjectCheck(reader, blobs, read_bodies=read_bodies)
        self._progress = progress
        self.checked_objects = 0
        self.checked_events = 0

    async def run(self) -> list[str]:
        """Every finding."""
        findings = [f"database: {fault}" for fault in self._reader.faults()]
        buckets = audit.buckets(self._reader)
        total = sum(bucket.objects for bucket in buckets)
        for bucket in buckets:
            findings += self._check_log(bucket)
            findings += [finding async for finding in self._check_objects(bucket, total)]
        findings += audit.unreachable_rows(self._reader)
        doomed = audit.doomed_blobs(self._reader)
        findings += [f"blob {blob_id} is in use, and queued for deletion" for blob_id in doomed]
        findings += [finding async for finding in self._check_part_blobs()]
        return findings

    def _check_log(self, bucket: AuditedBucket) -> Iterator[str]:
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

    async def _check_objects(self, bucket: AuditedBucket, total: int) -> AsyncIterator[str]:
        count, size_bytes = 0, 0
        for page in audit.versions(self._reader, bucket.id):
            count, size_bytes = count + len(page), size_bytes + sum(version.size_bytes for version in page)
            self.checked_objects += len(page)
            for finding in await self._objects.check(bucket, page):
                yield finding
            self._progress("check", self.checked_objects, total)
        if (count, size_bytes) != (bucket.objects, bucket.size_bytes):
            said = f"its row says {bucket.objects} of {bucket.size_bytes}"
            yield f"{bucket.name}: holds {count} objects of {size_bytes} bytes, {said}"
        for key, event in audit.last_events_without_object(self._reader, bucket.id):
            yield f"{bucket.name}/{key.decode('utf-8', 'replace')}: last event {event}, but no such object"

    async def _check_part_blobs(self) -> AsyncIterator[str]:
        for page in audit.parts(self._reader):
            sizes = await blob_sizes(self._blobs, [part.blob_id for part in page])
            for part in page:
                size = sizes.get(part.blob_id)
                if size != part.size_bytes:
                    name = f"upload {part.upload_id}, part {part.part_number}"
                    yield f"{name}: blob {part.blob_id} has {size} bytes instead of {part.size_bytes}"


def check_deliveries(remembered: list[tuple[str, int, int]], buckets: list[AuditedBucket]) -> list[str]:
    """What deliveries remember (`deliveries.furthest`) lies within the log: what is beyond it would be passed over.

    Read `remembered` before `buckets`: positions never pass the log as it is later.
    """
    heads = {bucket.id: bucket for bucket in buckets}
    findings = []
    for webhook_id, bucket_id, sequence in sorted(remembered):
        bucket = heads.get(bucket_id)
        name, head = (bucket.name, bucket.sequence) if bucket else (f"bucket {bucket_id}", 0)
        if sequence > head:
            findings.append(f"{name}: webhook {webhook_id} has come to event {sequence}, the log ends at {head}")
    return findings


def delivery_notes(reader: Reader) -> list[str]:
    """What is worth knowing of the state of deliveries, though nothing is wrong with it."""
    unowned = audit.unowned_webhooks(reader)
    return [f"{unowned} webhooks were a dispatcher's that is no more: the next one takes them"] if unowned else []
