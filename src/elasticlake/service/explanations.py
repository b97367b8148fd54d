"""Why a webhook is told of an event, or not: its choice, put to events of the log or to objects that may be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from elasticlake.clock import Clock
from elasticlake.errors import InvalidInput, InvalidWebhook
from elasticlake.metadata import buckets, events, webhooks
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.accounts import Token
from elasticlake.model.events import EVENT_TYPES, Event, EventType
from elasticlake.model.filters import Refusal
from elasticlake.model.ids import new_event_id
from elasticlake.model.objects import DEFAULT_CONTENT_TYPE
from elasticlake.model.rules import Rules, require_rules
from elasticlake.model.webhooks import Webhook, require_events
from elasticlake.record import record
from elasticlake.service.delivery_status import in_scope
from elasticlake.service.hierarchy import visible_bucket
from elasticlake.service.selection import explain
from elasticlake.service.webhook_definitions import Place, require_one_place
from elasticlake.service.webhooks import owner_of, resolve_place, visible_webhook
from elasticlake.service.where import require_where

MAX_EVENTS = 100
_SAMPLE_ETAG = "d41d8cd98f00b204e9800998ecf8427e"


@dataclass(frozen=True, slots=True)
class Draft:
    """A webhook that need not exist, as far as it decides which events it is told of."""

    place: Place
    events: tuple[str, ...] = EVENT_TYPES
    account_id: str | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    """Of the fields of `Rules`, `filter` and `where`."""


@dataclass(frozen=True, slots=True)
class SampleObject:
    """An object that need not exist, and what happens to it."""

    key: str
    size_bytes: int = 0
    content_type: str = DEFAULT_CONTENT_TYPE
    metadata: Mapping[str, str] = field(default_factory=dict)
    event: EventType = "object:created"


@dataclass(frozen=True, slots=True)
class Question:
    """Which events: the `objects`, else those with these `sequences`, else the bucket's latest, at most `limit`.

    Without a `bucket` it is the one that the webhook listens to.
    """

    bucket: str | None = None
    limit: int = 20
    sequences: tuple[int, ...] = ()
    objects: tuple[SampleObject, ...] = ()


@record
class Explained:
    """An event (of sequence 0, if it is a sample) and which clause refuses it; None if it matches."""

    event: Event
    refusal: Refusal | None


@record
class Explanation:
    """The answers, and which of the sequences asked for the bucket's log does not hold."""

    events: list[Explained]
    missing: list[int]


class Explanations:
    """Answers for webhooks and drafts of them. Nothing is sent, and no failure counted."""

    def __init__(self, core: Database, clock: Clock) -> None:
        self._core = core
        self._clock = clock

    async def of_webhook(self, token: Token, webhook_id: str, question: Question) -> Explanation:
        """The webhook's choice, the latest event first, or in the order of what was asked for. Raises `NoSuchWebhook`,
        `NoSuchBucket`, `InvalidInput`."""
        stored = await self._core.read(lambda reader: visible_webhook(reader, token, webhook_id))
        return await self._explain(token, stored.webhook, question)

    async def of_draft(self, token: Token, draft: Draft, question: Question) -> Explanation:
        """What the choice would be. Raises `InvalidWebhook` (the field begins with `webhook.`) for what could not be
        created, and what `of_webhook` does."""
        with _within("webhook"):
            require_one_place(draft.place)
            chosen, rules = require_events(list(draft.events)), require_rules(Rules(**draft.rules))
            require_where(rules.where)
            scope, owner = await self._core.read(lambda reader: resolve_place(reader, token, draft.place))
            account_id = owner_of(token, draft.account_id, scope, owner)
        return await self._explain(token, Webhook("", account_id, scope, "", chosen, rules=rules), question)

    async def _explain(self, token: Token, webhook: Webhook, question: Question) -> Explanation:
        _require_bounds(question)
        now_ms = self._clock.now_ms()
        place, found = await self._core.read(lambda reader: _events(reader, token, webhook, question, now_ms))
        explained: list[Explained] = []
        for event in found:
            explained.append(Explained(event, _refusal(webhook, place, event)))
            # An expression may have taken a while: all else has its turn before the next.
            await asyncio.sleep(0)
        known = {event.sequence for event in found}
        return Explanation(explained, [asked for asked in dict.fromkeys(question.sequences) if asked not in known])


def _refusal(webhook: Webhook, place: BucketPlace | None, event: Event) -> Refusal | None:
    if place is not None and not in_scope(webhook, place):
        return Refusal("scope", event.bucket)
    return explain(webhook.events, webhook.rules, event)


def _require_bounds(question: Question) -> None:
    if not 1 <= question.limit <= MAX_EVENTS:
        raise InvalidInput("limit", f"It is 1 to {MAX_EVENTS} events.")
    if question.sequences and question.objects:
        raise InvalidInput("objects", "Give sequences, or objects, or neither.")
    for name, given in (("sequences", question.sequences), ("objects", question.objects)):
        if len(given) > MAX_EVENTS:
            raise InvalidInput(name, f"At most {MAX_EVENTS} at once.")


def _events(
    reader: Reader, token: Token, webhook: Webhook, question: Question, now_ms: int
) -> tuple[BucketPlace | None, list[Event]]:
    """The events that are asked about, and where their bucket lies; None for samples in any bucket of the scope."""
    listens_to = webhook.scope.name if webhook.scope.kind == "bucket" else None
    name = listens_to if question.bucket is None else question.bucket
    if name is None:
        if not question.objects:
            raise InvalidInput("bucket", f"Name a bucket: the webhook listens to a whole {webhook.scope.kind}.")
        return None, list(_samples(question.objects, webhooks.shown_place(reader, webhook.scope), now_ms))
    bucket = visible_bucket(reader, token, name, "read")
    place = webhooks.place(reader, bucket.id)
    if question.objects:
        return place, list(_samples(question.objects, (bucket.lake_name, bucket.pond_name, name), now_ms))
    if question.sequences:
        return place, _kept(reader, bucket.id, question.sequences)
    first = max(buckets.first_sequence(reader, bucket.id), bucket.sequence - question.limit + 1)
    return place, events.after(reader, bucket.id, first - 1, question.limit)[::-1]


def _kept(reader: Reader, bucket_id: int, sequences: Iterable[int]) -> list[Event]:
    """Those of the events that the log holds; raises `InvalidInput` if it holds none of them."""
    asked = list(sequences)
    found = [event for sequence in asked if (event := events.get(reader, bucket_id, sequence)) is not None]
    if not found:
        raise InvalidInput("sequences", f"The bucket's log has no event {', '.join(map(str, asked))}.")
    return found


def _samples(objects: Iterable[SampleObject], place: tuple[str, str, str], now_ms: int) -> Iterator[Event]:
    lake, pond, bucket = place
    for described in objects:
        yield Event(
            id=new_event_id(now_ms),
            bucket_id=0,
            bucket=bucket,
            sequence=0,
            type=described.event,
            time_ms=now_ms,
            key=described.key.encode(),
            size_bytes=described.size_bytes,
            etag=_SAMPLE_ETAG,
            content_type=described.content_type,
            lake=lake,
            pond=pond,
            reason="Sample",
            # As S3 stores them: headers' names have no case.
            metadata={name.lower(): value for name, value in described.metadata.items()},
        )


@contextmanager
def _within(member: str) -> Iterator[None]:
    """What is wrong in a part of the caller's document is named by its whole path."""
    try:
        yield
    except InvalidInput as fault:
        raise InvalidWebhook(f"{member}.{fault.field}", str(fault)) from None
