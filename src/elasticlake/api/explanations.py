"""Why a webhook is told of an event, or not."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from elasticlake.api.documents import Body, Document, Text, Timestamp, example, resource
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import BucketText, Bytes, EndpointUrl, EventCount, Sequence, Subscribed
from elasticlake.api.webhook_documents import ONE_PLACE, PlacedBody
from elasticlake.api.webhooks import WebhookId
from elasticlake.clock import rfc3339_seconds
from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import EVENT_TYPES, EventType, OperationalType
from elasticlake.model.filters import Filter
from elasticlake.model.objects import DEFAULT_CONTENT_TYPE
from elasticlake.service.explanations import MAX_EVENTS, Draft, Explained, Explanation, Question, SampleObject
from elasticlake.service.webhook_definitions import Place

router = resource("webhooks")
MAX_KEY_CHARACTERS = 1024


_EXPLAINED: dict[str, Any] = {
    "event": "object:created",
    "timestamp": "2025-10-30T14:22:33Z",
    "bucket": "lake1--pond1--my-bucket",
    "key": "private/photo.jpg",
    "sequence": 42,
    "matches": False,
    "refusedBy": "filter.prefix",
    "value": "private/photo.jpg",
    "error": None,
}


class SampleObjectBody(Body):
    """An object that need not exist, and what happens to it."""

    model_config = ConfigDict(
        json_schema_extra=example(key="uploads/photo.jpg", size=1048576, contentType="image/jpeg")
    )

    key: Text = Field(min_length=1, max_length=MAX_KEY_CHARACTERS)
    size: Bytes = 0
    content_type: Text = DEFAULT_CONTENT_TYPE
    metadata: dict[Text, Text] = Field(default={}, description="User metadata.")
    event: EventType = "object:created"

    def to_object(self) -> SampleObject:
        return SampleObject(self.key, self.size, self.content_type, self.metadata, self.event)


class QuestionBody(Body):
    """Which events: `objects`, else those with these `sequences`, else the latest `limit` of the bucket's log."""

    model_config = ConfigDict(json_schema_extra=example(limit=20))

    bucket: BucketText | None = Field(default=None, description="By default, the bucket that the webhook listens to.")
    limit: EventCount = 20
    sequences: list[Sequence] = Field(default=[], max_length=MAX_EVENTS)
    objects: list[SampleObjectBody] = Field(default=[], max_length=MAX_EVENTS)

    def to_question(self) -> Question:
        objects = tuple(described.to_object() for described in self.objects)
        return Question(self.bucket, self.limit, tuple(self.sequences), objects)


class DraftBody(PlacedBody):
    """A webhook as it would be created, with or without its `endpoint`. What counts is its scope (exactly one of
    `bucket`, `pond` and `lake`), events, filter and expression; all else need only be what could be created."""

    model_config = ConfigDict(
        json_schema_extra=ONE_PLACE
        | example(bucket="lake1--pond1--my-bucket", where='object.key.startsWith("uploads/")')
    )

    endpoint: EndpointUrl | None = None
    events: Subscribed = Field(default=list(EVENT_TYPES), description="By default, all of an object's.")

    def to_draft(self) -> Draft:
        wanted = self.filter.to_filter() if self.filter is not None else Filter()
        place = Place(self.bucket, self.pond, self.lake)
        return Draft(place, tuple(self.events), self.account, {"filter": wanted, "where": self.where})


class DraftQuestionBody(QuestionBody):
    """A webhook that is not made yet, and the events to try it on."""

    model_config = ConfigDict(
        json_schema_extra=example(
            webhook={"bucket": "lake1--pond1--my-bucket", "where": 'object.key.startsWith("uploads/")'}, limit=20
        )
    )

    webhook: DraftBody


class ExplainedDocument(Document):
    """Whether an event matches. `refusedBy` is the first clause that says no, and `value` what it looked at: `scope`,
    `events`, `filter.prefix`, …, `where`. `error` says why the expression has no answer. A sample has no sequence."""

    model_config = ConfigDict(json_schema_extra=example(**_EXPLAINED))

    event: EventType | OperationalType
    timestamp: Timestamp
    bucket: str
    key: str
    sequence: int | None
    matches: bool
    refused_by: str | None
    value: Any
    error: str | None

    @classmethod
    def of(cls, explained: Explained) -> ExplainedDocument:
        event, refusal = explained.event, explained.refusal
        return cls(
            event=event.type,
            timestamp=rfc3339_seconds(event.time_ms),
            bucket=event.bucket,
            key=event.key.decode(),
            sequence=event.sequence or None,
            matches=refusal is None,
            refused_by=refusal.clause if refusal is not None else None,
            value=refusal.value if refusal is not None else None,
            error=refusal.error if refusal is not None else None,
        )


class ExplanationDocument(Document):
    """One answer for each event, the latest first, how many of them match, and which of the `sequences` asked for the
    log does not hold."""

    model_config = ConfigDict(json_schema_extra=example(items=[_EXPLAINED], matching=0, missing=[]))

    items: list[ExplainedDocument]
    matching: int
    missing: list[int]

    @classmethod
    def of(cls, answer: Explanation) -> ExplanationDocument:
        items = [ExplainedDocument.of(explained) for explained in answer.events]
        return cls(items=items, matching=sum(item.matches for item in items), missing=answer.missing)


_RECENT = QuestionBody()


@router.post(
    "/webhooks/{id}/explain",
    summary="Explain which events a webhook matches",
    openapi_extra=may_answer("invalid-webhook", "no-such-bucket"),
)
async def explain_webhook(call: Call, id: WebhookId, body: QuestionBody = _RECENT) -> ExplanationDocument:
    """For recent events or given objects: whether each matches, and which clause refuses it. Nothing is sent."""
    return ExplanationDocument.of(
        await call.services.explanations.of_webhook(call.token, id, body.to_question()),
    )


@router.post(
    "/explain",
    summary="Explain which events a webhook would match",
    openapi_extra=may_answer("invalid-webhook", "no-such-bucket", "no-such-pond", "no-such-lake", "no-such-account"),
)
async def explain_draft(call: Call, body: DraftQuestionBody) -> ExplanationDocument:
    """The same for a webhook that does not exist: try a filter before you create or change one with it."""
    webhook = body.webhook
    faults = await call.services.webhooks.faults(call.token, webhook.defined(webhook.endpoint or "", webhook.events))
    for name, words in faults.items():
        if name != "endpoint" or webhook.endpoint is not None:
            raise InvalidWebhook(f"webhook.{name}", words)
    explanation = await call.services.explanations.of_draft(call.token, webhook.to_draft(), body.to_question())
    return ExplanationDocument.of(explanation)
