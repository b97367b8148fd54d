"""An event as its receiver sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

EventType = Literal[
    "object:created",
    "object:updated",
    "object:deleted",
    "multipart:completed",
    "webhook:failing",
    "webhook:disabled",
    "s3:TestEvent",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
"""All that are sent. The last is what a webhook of a bucket's notification configuration is tested with."""


@dataclass(frozen=True, slots=True)
class EventObject:
    """The object that an event tells of; None is what the envelope does not say."""

    key: str
    size: int | None = None
    """Bytes."""
    etag: str | None = None
    content_type: str | None = None
    version_id: str | None = None
    metadata: Mapping[str, str] | None = field(default=None, hash=False)
    """The user metadata, of a webhook with `includeMetadata`."""
    url: str | None = field(default=None, repr=False)
    """Fetches the object for a while, of a webhook with `includeUrl`; whoever has it can."""


@dataclass(frozen=True, slots=True)
class Previous:
    """What an update replaced."""

    size: int | None = None
    etag: str | None = None
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the event came. The signature does not cover it: for logs, and not to decide by."""

    id: str | None = None
    attempt: int | None = None
    """1, 2, 3, …"""
    replay: str | None = None
    """The id of the job that sends it again."""
    redelivery: bool = False
    """Whether somebody asked for it again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change, verified. None is what the envelope does not say: S3's records say least."""

    type: str
    """One of `EVENT_TYPES`, or what later servers add. S3's records do not tell creation from update."""
    time: datetime
    """When it happened, in UTC."""
    id: str
    """The same whenever the event comes, so that repeats can be ignored. S3's records have none: there it is the
    message's, and in a batch made of bucket and sequence."""
    bucket: str | None = None
    object: EventObject | None = None
    """None where it is about a webhook."""
    lake: str | None = None
    pond: str | None = None
    sequence: int | None = None
    """Its number in its bucket: 1, 2, 3, … without a gap; 0 for a test."""
    reason: str | None = None
    """The S3 operation; of S3's records the event's name."""
    previous: Previous | None = None
    principal: str | None = None
    request_id: str | None = None
    coalesced: int = 0
    """How many earlier events of the key it stands for."""
    backfill: bool = False
    """Whether it only tells of an object that exists already."""
    test: bool = False
    """Whether nothing happened: somebody tries the webhook."""
    webhook: Mapping[str, Any] | None = field(default=None, hash=False)
    """The webhook that `webhook:failing` and `webhook:disabled` tell of."""
    delivery: Delivery = Delivery()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    """The event's document as it came: payload, CloudEvent or record."""
