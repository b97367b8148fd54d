"""S3's event records, and what S3 sends to try a notification configuration.

Source: "Event message structure", Amazon S3 User Guide.
"""

from __future__ import annotations

import re

from elasticlake.webhooks.errors import InvalidPayload
from elasticlake.webhooks.event import Delivery, Event, EventObject, EventType
from elasticlake.webhooks.members import Members

TEST_EVENT = "s3:TestEvent"
BATCH_PREFIX = "bat_"
"""How the id of a batch begins, which it has even if it is of one event."""
_is_hexadecimal = re.compile("[0-9A-Fa-f]{1,32}").fullmatch
# What the first part of an event's name says happened to the object.
_TYPES: dict[str, EventType] = {
    "ObjectCreated": "object:created",
    "ObjectAcl": "object:updated",
    "ObjectTagging": "object:updated",
    "ObjectRemoved": "object:deleted",
    "LifecycleExpiration": "object:deleted",
}


def event_of_record(record: Members, delivery: Delivery, message_id: str | None) -> Event:
    """The event that one entry of `Records` tells of; `message_id` is that of the message which tells this one alone.

    Raises `InvalidPayload`.
    """
    name, stored = record.required_text("eventName"), record.inner("s3")
    bucket = stored.inner("bucket").required_text("name")
    described = stored.inner("object")
    sequence = _sequence(described)
    time = record.time("eventTime")
    return Event(
        type=_TYPES.get(name.partition(":")[0], f"s3:{name}"),
        time=time,
        id=_id(record, message_id, f"{bucket}/{sequence}"),
        bucket=bucket,
        object=_object(described),
        sequence=sequence,
        reason=name,
        principal=record.inner("userIdentity").text("principalId") if record.has("userIdentity") else None,
        request_id=_request_id(record),
        coalesced=record.count("coalesced") or 0,
        backfill=record.flag("backfill"),
        test=record.flag("test"),
        delivery=delivery,
        raw=record.document,
    )


def event_of_test(document: Members, delivery: Delivery, message_id: str | None) -> Event:
    """`s3:TestEvent`: it names a bucket and no object."""
    return Event(
        type=TEST_EVENT,
        time=document.time("Time"),
        id=message_id or document.required_text("RequestId"),
        bucket=document.required_text("Bucket"),
        request_id=document.text("RequestId"),
        test=True,
        delivery=delivery,
        raw=document.document,
    )


def _id(record: Members, message_id: str | None, place: str) -> str:
    if record.flag("test") or record.flag("backfill"):
        # It has its place from another event, or none at all.
        return message_id or f"{place}/{record.required_text('eventTime')}"
    # An event comes in batches of different compositions, each with an id of its own.
    return place if message_id is None or message_id.startswith(BATCH_PREFIX) else message_id


def _object(described: Members) -> EventObject:
    # Loading it is a fifteenth of loading all of this, and most receivers see no records.
    from urllib.parse import unquote_plus

    try:
        key = unquote_plus(described.required_text("key"), errors="strict")
    except UnicodeDecodeError:
        raise InvalidPayload(f"{described.path}key is no URL-encoded UTF-8.") from None
    return EventObject(
        key=key,
        size=described.count("size"),
        etag=described.text("eTag"),
        version_id=described.text("versionId"),
        metadata=described.texts("metadata"),
        url=described.text("url"),
    )


def _sequence(described: Members) -> int:
    # Without it the events of a batch would all have one id, and all but the first be lost.
    sequencer = described.required_text("sequencer")
    if not _is_hexadecimal(sequencer):
        raise InvalidPayload(f"{described.path}sequencer must be hexadecimal.")
    return int(sequencer, 16)


def _request_id(record: Members) -> str | None:
    if not record.has("responseElements"):
        return None
    return record.inner("responseElements").text("x-amz-request-id") or None
