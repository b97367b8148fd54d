"""What the API says of a webhook, and what it is made of and changed by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict

from elasticlake.api.documents import Document, IfGiven, Timestamp, example, timestamp
from elasticlake.api.values import (
    AccountName,
    BucketText,
    EndpointUrl,
    PondName,
    Schedule,
    Secret,
    SlugText,
    Subscribed,
    Timeout,
    WebhookName,
)
from elasticlake.api.webhook_manager import ManagedByDocument
from elasticlake.api.webhook_rules import RulesBody, RulesDocument, rules_members
from elasticlake.api.webhook_secrecy import SecrecyBody, SecrecyDocument, secrecy_members
from elasticlake.api.webhook_standing import StandingDocument, WhereErrorsDocument
from elasticlake.model.events import EventType, OperationalType
from elasticlake.model.webhooks import OnDead, Ordering, Webhook, WebhookStatus
from elasticlake.service.webhook_definitions import NewWebhook, Place, Resume
from elasticlake.service.webhook_standing import Standing

ONE_PLACE: dict[str, Any] = {
    "oneOf": [
        {"type": "object", "required": [kind], "properties": {kind: {"type": "string"}}}
        for kind in ("bucket", "pond", "lake")
    ]
}
"""For a schema: exactly one of these is named."""


class PlacedBody(RulesBody, SecrecyBody):
    """What a webhook may be made with, and where it listens."""

    bucket: BucketText | None = None
    pond: PondName | None = None
    lake: SlugText | None = None
    account: AccountName | None = None
    secret: Secret | None = None
    retry_schedule: Schedule | None = None
    timeout_seconds: Timeout | None = None
    ordering: Ordering | None = None
    on_dead: OnDead | None = None
    name: WebhookName | None = None

    def defined(self, endpoint: str, events: Iterable[str]) -> NewWebhook:
        """The definition, with these two."""
        return NewWebhook(
            place=Place(self.bucket, self.pond, self.lake),
            endpoint=endpoint,
            events=tuple(events),
            account_id=self.account,
            secret=self.secret,
            retry_schedule_seconds=None if self.retry_schedule is None else tuple(self.retry_schedule),
            timeout_seconds=self.timeout_seconds,
            ordering=self.ordering or ("key" if self.batch is None else "bucket"),
            on_dead=self.on_dead,
            name=self.name or "",
            rules=self.given_rules(),
            sealed=self.given_sealed(),
        )


class NewWebhookBody(PlacedBody):
    """Exactly one of `bucket`, `pond` and `lake` says where the webhook listens."""

    model_config = ConfigDict(
        json_schema_extra=ONE_PLACE
        | example(
            bucket="lake1--pond1--my-bucket",
            endpoint="https://myapp.com/webhooks/storage",
            events=["object:created", "object:deleted"],
            secret="my-webhook-secret",
        )
    )

    endpoint: EndpointUrl
    events: Subscribed


class WebhookChangeBody(RulesBody, SecrecyBody):
    """What to change; whatever is missing stays. `resume` goes with `status: "enabled"`."""

    model_config = ConfigDict(json_schema_extra=example(status="enabled", resume="now"))

    endpoint: EndpointUrl | None = None
    events: Subscribed | None = None
    secret: Secret | None = None
    retry_schedule: Schedule | None = None
    timeout_seconds: Timeout | None = None
    ordering: Ordering | None = None
    on_dead: OnDead | None = None
    name: WebhookName | None = None
    status: WebhookStatus | None = None
    resume: Resume | None = None


class WebhookDocument(RulesDocument, SecrecyDocument):
    """A webhook; `secret` is in the answer that made it, if it was generated there, and never again."""

    model_config = ConfigDict(
        json_schema_extra=example(
            id="wh_mfrggzdfmztwq2lk",
            bucket="lake1--pond1--my-bucket",
            account="root",
            endpoint="https://myapp.com/webhooks/storage",
            events=["object:created", "object:deleted"],
            retrySchedule=[5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
            timeoutSeconds=30,
            ordering="key",
            onDead="continue",
            name="",
            status="enabled",
            disabledReason=None,
            createdAt="2026-01-02T03:04:05.678Z",
            updatedAt="2026-01-02T03:04:05.678Z",
            revision=1,
            filter=None,
            where=None,
            format="elasticlake",
            includeMetadata=False,
            includeUrl=None,
            coalesce=False,
            rateLimit=None,
            maxConcurrency=None,
            batch=None,
            headers={"Authorization": "***"},
            clientCertificate=None,
            clientKey=None,
            certificateAuthority=None,
            overlapEndsAt=None,
        )
    )

    id: str
    bucket: IfGiven[str] = None
    pond: IfGiven[str] = None
    lake: IfGiven[str] = None
    account: str
    endpoint: str
    events: list[EventType | OperationalType]
    retry_schedule: list[int | float]
    timeout_seconds: int | float
    ordering: Ordering
    on_dead: OnDead
    name: str
    status: WebhookStatus
    disabled_reason: str | None
    created_at: Timestamp
    updated_at: Timestamp
    revision: int
    secret: IfGiven[str] = None
    managed_by: IfGiven[ManagedByDocument] = None
    where_errors: IfGiven[WhereErrorsDocument] = None
    standing: IfGiven[StandingDocument] = None

    @classmethod
    def of(cls, webhook: Webhook, secret: str | None = None) -> WebhookDocument:
        scope = webhook.scope
        return cls(
            id=webhook.id,
            bucket=scope.name if scope.kind == "bucket" else None,
            pond=scope.name if scope.kind == "pond" else None,
            lake=scope.name if scope.kind == "lake" else None,
            account=webhook.account_id,
            endpoint=webhook.endpoint,
            events=list(webhook.events),
            retry_schedule=[_number(step) for step in webhook.retry_schedule_seconds],
            timeout_seconds=_number(webhook.timeout_seconds),
            ordering=webhook.ordering,
            on_dead=webhook.on_dead,
            name=webhook.name,
            status=webhook.status,
            disabled_reason=webhook.disabled_reason,
            created_at=timestamp(webhook.created_at_ms),
            updated_at=timestamp(webhook.updated_at_ms),
            revision=webhook.revision,
            secret=secret,
            managed_by=ManagedByDocument.of(webhook.rules.notification),
            **rules_members(webhook.rules),
            **secrecy_members(webhook),
        )

    def stand(self, webhook: Webhook, standing: Standing) -> None:
        """Add how the webhook stands."""
        self.standing = StandingDocument.of(standing)
        if webhook.rules.where is not None:
            self.where_errors = WhereErrorsDocument.of(standing.where_errors)


class Deleted(Document):
    """`canceled` is how many events at most waited for the webhook."""

    model_config = ConfigDict(json_schema_extra=example(canceled=0))

    canceled: int


def _number(seconds: float) -> int | float:
    """Whole seconds without a fraction, as they were sent."""
    return int(seconds) if seconds == int(seconds) else seconds
