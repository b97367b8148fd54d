"""The one place where an object changes: row, event, the bucket's counters and the old bytes, in one transaction (I2).

Every operation that puts, copies, completes, changes or deletes an object ends in a function of this module.
"""

from __future__ import annotations

from dataclasses import replace

from elasticlake.errors import NoSuchBucket
from elasticlake.metadata import blob_records, buckets, events, objects
from elasticlake.metadata.database import Transaction
from elasticlake.model.events import Event, EventType, Previous
from elasticlake.model.ids import new_event_id
from elasticlake.model.objects import Acl, Attributes, BlobPart, Bucket, Checksum, Content, ObjectVersion
from elasticlake.record import record
from elasticlake.service.conditions import NONE, Conditions, check_delete, check_write
from elasticlake.service.context import Request


@record
class Change:
    """What every change of an object carries: where, why, by whom, when."""

    bucket: Bucket
    key: bytes
    reason: str
    request: Request
    now_ms: int
    blob_grace_ms: int
    conditions: Conditions = NONE


@record
class NewContent:
    """The bytes of a new version: inline, or durable blobs, whose intents end with this transaction."""

    size_bytes: int
    etag: str
    inline: bytes | None = None
    parts: tuple[BlobPart, ...] = ()
    manifest_id: str | None = None
    intents: tuple[str, ...] = ()
    parts_count: int | None = None


def put(
    tx: Transaction, change: Change, new: NewContent, attributes: Attributes, acl: Acl, checksum: Checksum | None
) -> ObjectVersion:
    """Give the key new content. Raises `NoSuchBucket` if the bucket went meanwhile, and what the conditions say."""
    bucket = _locked(tx, change)
    current = objects.get(tx, bucket.id, change.key)
    if change.conditions is not NONE:
        check_write(change.conditions, current)
    content = _store(tx, new)
    version = ObjectVersion(
        change.key,
        bucket.sequence + 1,
        new.size_bytes,
        new.etag,
        change.now_ms,
        attributes,
        acl,
        checksum,
        content,
        new.parts_count,
    )
    _replace(tx, change, bucket, current, version)
    if current is not None:
        _release(tx, change, current.content)
    return version


def modify(tx: Transaction, change: Change, version: ObjectVersion) -> ObjectVersion:
    """Change what is said of an object; its bytes stay. `version` is the current one with the change made."""
    bucket = _locked(tx, change)
    current = objects.get(tx, bucket.id, change.key)
    assert current is not None
    assert current.content == version.content
    check_write(change.conditions, current)
    version = replace(version, sequence=bucket.sequence + 1)
    _replace(tx, change, bucket, current, version)
    return version


def delete(tx: Transaction, change: Change) -> ObjectVersion | None:
    """Remove the current version; None, and no event, if there is none."""
    bucket = _locked(tx, change)
    current = objects.get(tx, bucket.id, change.key)
    if change.conditions is not NONE:
        check_delete(change.conditions, current)
    if current is None:
        return None
    objects.delete(tx, bucket.id, change.key)
    bucket = buckets.advance(tx, bucket, objects=-1, size_bytes=-current.size_bytes)
    _log(tx, change, bucket, "object:deleted", current)
    _release(tx, change, current.content)
    return current


def log_completed(tx: Transaction, change: Change, version: ObjectVersion) -> None:
    """`multipart:completed`: follows the object's own event with the next sequence."""
    bucket = buckets.advance(tx, _locked(tx, change))
    _log(tx, change, bucket, "multipart:completed", version)


def release_parts(tx: Transaction, change: Change, blob_ids: list[str]) -> None:
    """Queue blobs that no row names any more."""
    blob_records.delete_later(tx, blob_ids, change.now_ms + change.blob_grace_ms)


def _locked(tx: Transaction, change: Change) -> Bucket:
    bucket = buckets.get(tx, change.bucket.name.name)
    if bucket.id != change.bucket.id:
        raise NoSuchBucket
    return bucket


def _store(tx: Transaction, new: NewContent) -> Content:
    for blob_id in new.intents:
        blob_records.consume_intent(tx, blob_id)
    if new.manifest_id is not None:
        objects.insert_manifest(tx, new.manifest_id, new.parts)
        return Content(manifest_id=new.manifest_id)
    return Content(inline_id=objects.insert_inline(tx, new.inline)) if new.inline else Content()


def _replace(
    tx: Transaction, change: Change, bucket: Bucket, current: ObjectVersion | None, version: ObjectVersion
) -> None:
    objects.put(tx, bucket.id, version)
    if current is None:
        bucket = buckets.advance(tx, bucket, objects=1, size_bytes=version.size_bytes)
        _log(tx, change, bucket, "object:created", version)
    else:
        bucket = buckets.advance(tx, bucket, size_bytes=version.size_bytes - current.size_bytes)
        previous = Previous(current.size_bytes, current.etag, current.version_id)
        _log(tx, change, bucket, "object:updated", version, previous)


def _log(
    tx: Transaction,
    change: Change,
    bucket: Bucket,
    event_type: EventType,
    version: ObjectVersion,
    previous: Previous | None = None,
) -> None:
    events.append(
        tx,
        Event(
            id=new_event_id(change.now_ms),
            bucket_id=bucket.id,
            bucket=bucket.name.name,
            sequence=bucket.sequence,
            type=event_type,
            time_ms=change.now_ms,
            key=version.key,
            size_bytes=version.size_bytes,
            etag=version.etag,
            content_type=version.attributes.content_type,
            lake=bucket.lake_name,
            pond=bucket.pond_name,
            reason=change.reason,
            version_id=version.version_id,
            metadata=version.attributes.metadata,
            previous=previous,
            principal=change.request.caller.access_key_id,
            request_id=change.request.id,
            trace=change.request.trace,
        ),
    )


def _release(tx: Transaction, change: Change, content: Content) -> None:
    """Let go of bytes that no version has any more: inline ones now, blobs after the grace period."""
    if content.inline_id is not None:
        objects.delete_inline(tx, content.inline_id)
    if content.manifest_id is not None:
        blob_records.delete_manifest_later(tx, content.manifest_id, change.now_ms + change.blob_grace_ms)
        objects.delete_manifest(tx, content.manifest_id)
