"""Webhooks: who is told of what, where, and how persistently."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import EVENT_TYPES, OPERATIONAL_TYPES, EventType, OperationalType
from elasticlake.model.rules import Rules
from elasticlake.model.schedule import DEFAULT_RETRY_SCHEDULE_SECONDS

Ordering = Literal["key", "bucket", "none"]
OnDead = Literal["continue", "pause"]
WebhookStatus = Literal["enabled", "disabled"]
ScopeKind = Literal["bucket", "pond", "lake"]
ListedStatus = Literal["pending", "held", "retrying", "delivered", "dead", "canceled", "expired"]
LISTED_STATUSES: tuple[ListedStatus, ...] = get_args(ListedStatus)
# Of what was passed over, the place in the log is all that is kept: it is counted, not listed.
DeliveryStatus = Literal[ListedStatus, "coalesced"]

DEFAULT_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class WebhookScope:
    """Where a webhook listens: `id` is the internal id of the bucket, pond or lake; `name` is how the API writes it."""

    kind: ScopeKind
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is confidential beside the secret; like it, encrypted where it is stored."""

    next_secret: str | None = None
    """The secret's successor, while both sign."""
    headers: tuple[tuple[str, str], ...] = ()
    """The owner's own headers, which may hold credentials."""
    client_certificate: str | None = None
    """PEM: shown to the endpoint, with `client_key`."""
    client_key: str | None = None
    certificate_authority: str | None = None
    """PEM: whom the endpoint's certificate may come from, instead of the public authorities."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription: scope, endpoint, event types, secret, and its delivery rules."""

    id: str
    account_id: str
    scope: WebhookScope
    endpoint: str
    events: tuple[EventType | OperationalType, ...]
    name: str = ""
    retry_schedule_seconds: tuple[float, ...] = DEFAULT_RETRY_SCHEDULE_SECONDS
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ordering: Ordering = "key"
    on_dead: OnDead = "continue"
    status: WebhookStatus = "enabled"
    disabled_reason: str | None = None
    revision: int = 1
    created_at_ms: int = 0
    updated_at_ms: int = 0
    rules: Rules = field(default_factory=Rules)
    secret: str = field(repr=False, default="")
    sealed: Sealed = field(repr=False, default_factory=Sealed)
    overlap_ends_at_ms: int | None = None
    """Until when `secret` signs beside its successor; None while no rotation is under way."""

    def matches(self, event_type: str) -> bool:
        """Whether the webhook subscribed to this kind of event."""
        return event_type in self.events


SUBSCRIBABLE: tuple[EventType | OperationalType, ...] = (*EVENT_TYPES, *OPERATIONAL_TYPES)


def require_events(events: list[str]) -> tuple[EventType | OperationalType, ...]:
    """The event types named, in a fixed order and once each; raises `InvalidWebhook` on an unknown or missing one."""
    if not events:
        raise InvalidWebhook("events", f"Name at least one of {', '.join(SUBSCRIBABLE)}.")
    for event in events:
        if event not in SUBSCRIBABLE:
            raise InvalidWebhook("events", f"{event!r} is none of {', '.join(SUBSCRIBABLE)}.")
    return tuple(known for known in SUBSCRIBABLE if known in events)


def require_timeout(seconds: float) -> float:
    """A delivery's deadline: 1 to 30 seconds."""
    if not 1 <= seconds <= 30:
        raise InvalidWebhook("timeoutSeconds", "A delivery's deadline is 1 to 30 seconds.")
    return seconds


def default_on_dead(ordering: Ordering) -> OnDead:
    """Strict order means little if a dead event is skipped, so `bucket` pauses unless asked otherwise."""
    return "pause" if ordering == "bucket" else "continue"


def lane_key(ordering: Ordering, key: bytes, sequence: int) -> bytes:
    """Which events wait for each other: those of one key, of the whole bucket (the empty key), or none at all."""
    if ordering == "key":
        return key
    return b"" if ordering == "bucket" else key + b"\x00" + sequence.to_bytes(8, "big")
