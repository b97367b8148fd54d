"""S3's notification configurations: the entries that an owner puts on a bucket, and which events each of them means.

Source: "PutBucketNotificationConfiguration", Amazon S3 API Reference; "Event notification types and destinations" and
"Configuring event notifications using object key name filtering", Amazon S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import unquote_plus

from elasticlake.model.events import EVENT_TYPES, Event, EventType
from elasticlake.model.filters import Clause, Filter
from elasticlake.model.s3_records import event_name

Destination = Literal["topic", "queue", "cloudFunction"]
"""Which of S3's elements the entry was written as. Each may name a webhook."""

ARN_PREFIX = "arn:elasticlake:webhook:::"
CLAUSE = "managedBy.events"
"""What refuses an event of a type that was asked for, but of another name in S3's words."""

_FAMILIES = {
    "ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "ObjectRestore": ("Post", "Completed", "Delete"),
    "Replication": (
        "OperationFailedReplication",
        "OperationNotTracked",
        "OperationMissedThreshold",
        "OperationReplicatedAfterThreshold",
    ),
    "LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "ObjectTagging": ("Put", "Delete"),
    "ObjectAnnotation": ("Put", "Delete"),
}
_SINGLE = (
    "s3:ReducedRedundancyLostObject",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectAcl:Put",
    "s3:ObjectRetention:Put",
)
_MEANINGS: dict[str, frozenset[str]] = {
    **{name: frozenset({name}) for name in _SINGLE},
    **{f"s3:{family}:{kind}": frozenset({f"s3:{family}:{kind}"}) for family in _FAMILIES for kind in _FAMILIES[family]},
    **{f"s3:{family}:*": frozenset(f"s3:{family}:{kind}" for kind in kinds) for family, kinds in _FAMILIES.items()},
}
EVENT_NAMES = frozenset(_MEANINGS)
"""The names that S3 knows. Of some nothing here ever tells: nothing is restored or replicated."""

_TYPES: dict[str, tuple[EventType, ...]] = {
    "ObjectCreated": ("object:created", "object:updated"),
    "ObjectRemoved": ("object:deleted",),
    "LifecycleExpiration": ("object:deleted",),
    "ObjectTagging": ("object:updated",),
    "ObjectAcl": ("object:updated",),
}


@dataclass(frozen=True, slots=True)
class Notification:
    """One entry of a bucket's notification configuration, as it was put."""

    id: str
    destination: Destination
    webhook_id: str
    """The webhook that its ARN names."""
    events: tuple[str, ...]
    """Names from `EVENT_NAMES`."""
    key_rules: tuple[tuple[str, str], ...] = ()
    """The filter's rules, name (`prefix` or `suffix`, in any case) and value."""
    number: int = 0
    """Its place among the bucket's entries."""


def arn_of(webhook_id: str) -> str:
    """How a notification configuration names a webhook."""
    return ARN_PREFIX + webhook_id


def event_types(names: Collection[str]) -> tuple[EventType, ...]:
    """The event types among which all events of these names are; none for names of what never happens here."""
    wanted = {found for name in names for found in _TYPES.get(name.split(":")[1], ())}
    return tuple(known for known in EVENT_TYPES if known in wanted)


def key_filter(notification: Notification) -> Filter:
    """The filter that its rules amount to. S3 takes their values URL-encoded, a space as `+`."""
    values = {name.lower(): unquote_plus(value) for name, value in notification.key_rules}
    given = {name: (value,) for name, value in values.items() if value}
    return Filter(prefix=given.get("prefix", ()), suffix=given.get("suffix", ()))


def event_clause(notification: Notification) -> Clause:
    """Holds for the events whose name in S3's words is one of those asked for."""
    wanted = frozenset[str]().union(*(_MEANINGS[name] for name in notification.events))
    return Clause(CLAUSE, lambda event: _name(event) in wanted, _name)


def _name(event: Event) -> str:
    return f"s3:{event_name(event)}"


def to_document(notification: Notification) -> dict[str, Any]:
    """The entry as it is stored."""
    return asdict(notification)


def from_document(document: Mapping[str, Any]) -> Notification:
    """What `to_document` wrote."""
    key_rules = tuple((name, value) for name, value in document["key_rules"])
    return Notification(**{**document, "events": tuple(document["events"]), "key_rules": key_rules})
