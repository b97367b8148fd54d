"""The rotation of a webhook's secret."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from elasticlake.api.documents import Body, example, resource
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import Overlap, Secret
from elasticlake.api.webhook_documents import WebhookDocument
from elasticlake.api.webhooks import WebhookId
from elasticlake.model.rotation import DEFAULT_OVERLAP_SECONDS

router = resource("webhooks")


class RotationBody(Body):
    """Without a `secret`, one is generated."""

    model_config = ConfigDict(json_schema_extra=example(overlapSeconds=DEFAULT_OVERLAP_SECONDS))

    secret: Secret | None = None
    overlap_seconds: Overlap = Field(
        default=DEFAULT_OVERLAP_SECONDS, description="How long the old secret goes on signing: to 30 days."
    )


_PLAIN = RotationBody()


@router.post(
    "/webhooks/{id}/rotate",
    summary="Rotate a webhook's secret",
    openapi_extra=may_answer("invalid-webhook", "conflict"),
)
async def rotate_secret(call: Call, id: WebhookId, body: RotationBody = _PLAIN) -> WebhookDocument:
    """Until `overlapEndsAt` the header `webhook-signature` has a signature of each secret, and
    `X-ElasticLake-Signature` that of the old one. A generated secret is shown in this answer alone.

    A rotation during another's overlap replaces the new secret, and the overlap begins anew.
    """
    webhook, secret = await call.services.webhooks.rotate(call.token, id, body.secret, body.overlap_seconds)
    return WebhookDocument.of(webhook, secret)


@router.post("/webhooks/{id}/promote", summary="End a rotation's overlap", openapi_extra=may_answer("conflict"))
async def promote_secret(call: Call, id: WebhookId) -> WebhookDocument:
    """From the next attempt on, only the new secret signs."""
    return WebhookDocument.of(await call.services.webhooks.promote(call.token, id))
