"""Events: the immutable facts of a bucket's log, and the payload that each becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from elasticlake.clock import rfc3339_seconds
from elasticlake.record import record

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

EventType = Literal["object:created", "object:updated", "object:deleted", "multipart:completed"]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
OperationalType = Literal["webhook:failing", "webhook:disabled"]
"""What a webhook may be told of the other webhooks of its account."""
OPERATIONAL_TYPES: tuple[OperationalType, ...] = get_args(OperationalType)


@record
class Previous:
    """What an update replaced."""

    size_bytes: int
    etag: str
    version_id: str | None = None


@record
class Event:
    """One change of one object, with the names as they were at its commit."""

    id: str
    bucket_id: int
    bucket: str
    sequence: int
    type: EventType | OperationalType
    time_ms: int
    key: bytes
    size_bytes: int
    etag: str
    content_type: str
    lake: str
    pond: str
    reason: str
    version_id: str | None = None
    metadata: Mapping[str, str] | None = None
    previous: Previous | None = None
    principal: str | None = None
    request_id: str | None = None
    trace: str | None = None
    """The `traceparent` of what caused it, where that was traced; no part of the payload."""
    about: Mapping[str, Any] | None = None
    """The webhook that an operational event tells of; such an event is of no bucket and no object."""


def payload(event: Event, *, include_metadata: bool = False, test: bool = False) -> dict[str, Any]:
    """The page's fields with its names, types and order, then ours."""
    if event.about is not None:
        return {
            "event": event.type,
            "timestamp": rfc3339_seconds(event.time_ms),
            "id": event.id,
            "webhook": event.about,
        }
    described: dict[str, Any] = {
        "key": event.key.decode(),
        "size": event.size_bytes,
        "etag": event.etag,
        "contentType": event.content_type,
    }
    if event.version_id is not None:
        described["versionId"] = event.version_id
    if include_metadata:
        described["metadata"] = dict(event.metadata or {})
    document: dict[str, Any] = {
        "event": event.type,
        "timestamp": rfc3339_seconds(event.time_ms),
        "bucket": event.bucket,
        "object": described,
        "lake": event.lake,
        "pond": event.pond,
        "id": event.id,
        "sequence": event.sequence,
        "reason": event.reason,
    }
    if event.previous is not None:
        document["previous"] = _previous(event.previous)
    document["principal"] = event.principal
    document["requestId"] = event.request_id
    if test:
        document["test"] = True
    return document


def _previous(previous: Previous) -> dict[str, Any]:
    document: dict[str, Any] = {"size": previous.size_bytes, "etag": previous.etag}
    if previous.version_id is not None:
        document["versionId"] = previous.version_id
    return document


def encode_payload(document: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """The bytes that are signed and sent: the same for every attempt, since they depend on the document alone."""
    return _encode(document).encode()
