"""The names of the sets of words that documents share, so that a generated client has one type for each."""

from __future__ import annotations

from typing import Any, get_args

from elasticlake.api.webhook_standing import BreakerState
from elasticlake.model.accounts import ActorKind, Permission, TokenAccess
from elasticlake.model.events import EventType, OperationalType
from elasticlake.model.jobs import JobKind, JobStatus, Only
from elasticlake.model.objects import Acl
from elasticlake.model.rules import Format
from elasticlake.model.webhooks import SUBSCRIBABLE, DeliveryStatus, ListedStatus, OnDead, Ordering, WebhookStatus
from elasticlake.service.reconcile import State
from elasticlake.service.statistics import StepLength
from elasticlake.service.webhook_definitions import Resume

_WORDS: dict[str, tuple[Any, str]] = {
    "Acl": (Acl, "Who may list a bucket, or read an object."),
    "ActorKind": (ActorKind, "By what something was done."),
    "BreakerState": (BreakerState, "Whether an endpoint is attempted, left alone, or being probed."),
    "DeliveryStatus": (DeliveryStatus, "How a delivery stands."),
    "EventType": (EventType, "What happened to an object."),
    "Format": (Format, "The envelope in which events travel."),
    "JobKind": (JobKind, "What a job sends: past events, or events of the objects that exist."),
    "JobStatus": (JobStatus, "How a job stands."),
    "ListedStatus": (ListedStatus, "How a delivery that can be listed stands."),
    "OnDead": (OnDead, "What a webhook does after a delivery was given up."),
    "Only": (Only, "Which past events a replay sends."),
    "OperationalType": (OperationalType, "What happened to another webhook."),
    "Ordering": (Ordering, "Which events wait for each other."),
    "Permission": (Permission, "What an access key may do."),
    "Resume": (Resume, "Where an enabled webhook goes on: at its position, or with what comes from now on."),
    "StepLength": (StepLength, "How much time a step of statistics covers."),
    "SubscribableType": (SUBSCRIBABLE, "What a webhook may be told of."),
    "TokenAccess": (TokenAccess, "Whether a token may change things."),
    "UnacknowledgedState": (State, "Why an event was not acknowledged."),
    "WebhookStatus": (WebhookStatus, "Whether a webhook is told of events."),
}


def name_enumerations(document: dict[str, Any]) -> dict[str, Any]:
    """The description with every set of these words as a reference to a schema that has a name."""
    names = {_words(kind): name for name, (kind, _) in _WORDS.items()}
    named: dict[str, Any] = _named(document, names)
    named["components"]["schemas"] |= {
        name: {"type": "string", "enum": list(_words(kind)), "description": text}
        for name, (kind, text) in _WORDS.items()
    }
    return named


def _words(kind: Any) -> tuple[str, ...]:
    return kind if isinstance(kind, tuple) else get_args(kind)


def _named(node: Any, names: dict[tuple[str, ...], str]) -> Any:
    if isinstance(node, list):
        return [_named(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    words = node.get("enum")
    name = names.get(tuple(words)) if isinstance(words, list) else None
    if name is None:
        return {member: _named(value, names) for member, value in node.items()}
    beside = {member: value for member, value in node.items() if member not in ("enum", "type", "title")}
    return {"$ref": f"#/components/schemas/{name}", **beside}
