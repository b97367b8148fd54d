"""Our own payload, alone or as a CloudEvent's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticlake.webhooks.event import Delivery, Event, EventObject, Previous
from elasticlake.webhooks.members import Members

_ABOUT_OBJECTS = ("object:", "multipart:")


def event_of_payload(payload: Members, delivery: Delivery, raw: Mapping[str, Any]) -> Event:
    """The event that the payload tells of; raises `InvalidPayload`."""
    kind = payload.required_text("event")
    return Event(
        type=kind,
        time=payload.time("timestamp"),
        id=payload.required_text("id"),
        bucket=payload.text("bucket"),
        object=_object(payload.inner("object")) if kind.startswith(_ABOUT_OBJECTS) or payload.has("object") else None,
        lake=payload.text("lake"),
        pond=payload.text("pond"),
        sequence=payload.count("sequence"),
        reason=payload.text("reason"),
        previous=_previous(payload.inner("previous")) if payload.has("previous") else None,
        principal=payload.text("principal"),
        request_id=payload.text("requestId"),
        coalesced=payload.count("coalesced") or 0,
        backfill=payload.flag("backfill"),
        test=payload.flag("test"),
        webhook=payload.inner("webhook").document if payload.has("webhook") else None,
        delivery=delivery,
        raw=raw,
    )


def _object(described: Members) -> EventObject:
    return EventObject(
        key=described.required_text("key"),
        size=described.count("size"),
        etag=described.text("etag"),
        content_type=described.text("contentType"),
        version_id=described.text("versionId"),
        metadata=described.texts("metadata"),
        url=described.text("url"),
    )


def _previous(described: Members) -> Previous:
    return Previous(described.count("size"), described.text("etag"), described.text("versionId"))
