"""The receiving half of the SDK: verify deliveries, read their events, handle each once. It needs Python alone.

`verify` and `parse` are for a handler of your own; a `Receiver` is one, for every web framework.
docs/receiving.md shows both.
"""

from elasticlake.webhooks.answer import Answer
from elasticlake.webhooks.errors import (
    BeingHandled,
    FutureTimestamp,
    HeaderError,
    InvalidPayload,
    InvalidSecret,
    MalformedHeader,
    MissingHeader,
    RepeatedHeader,
    SignatureMismatch,
    StaleTimestamp,
    TimestampError,
    WebhookVerificationError,
)
from elasticlake.webhooks.event import Delivery, Event, EventObject, EventType, Previous
from elasticlake.webhooks.events import parse, parse_batch
from elasticlake.webhooks.guards import Claim, Guard, MemoryGuard, RedisGuard, SqliteGuard
from elasticlake.webhooks.receiver import Receiver
from elasticlake.webhooks.verification import Scheme, verify

__all__ = [
    "Answer",
    "BeingHandled",
    "Claim",
    "Delivery",
    "Event",
    "EventObject",
    "EventType",
    "FutureTimestamp",
    "Guard",
    "HeaderError",
    "InvalidPayload",
    "InvalidSecret",
    "MalformedHeader",
    "MemoryGuard",
    "MissingHeader",
    "Previous",
    "Receiver",
    "RedisGuard",
    "RepeatedHeader",
    "Scheme",
    "SignatureMismatch",
    "SqliteGuard",
    "StaleTimestamp",
    "TimestampError",
    "WebhookVerificationError",
    "parse",
    "parse_batch",
    "verify",
]
