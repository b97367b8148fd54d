"""Operations on webhooks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query

from elasticlake.api.deliveries import DeliveryDocument, delivery_search
from elasticlake.api.documents import DocumentPage, WaitSeconds, page_request, resource
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import PondName
from elasticlake.api.webhook_documents import Deleted, NewWebhookBody, WebhookChangeBody, WebhookDocument
from elasticlake.metadata.attempt_search import Wanted
from elasticlake.model.webhooks import ListedStatus
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import Place, WebhookChange

router = resource("webhooks")
WebhookId = Annotated[str, Path(examples=["wh_mfrggzdfmztwq2lk"], description="The webhook's id.")]


def place(
    bucket: Annotated[
        str | None, Query(description="Only those made for this bucket.", examples=["lake1--pond1--my-bucket"])
    ] = None,
    pond: Annotated[
        PondName | None, Query(description="Only those made for this pond.", examples=["lake1--pond1"])
    ] = None,
    lake: Annotated[str | None, Query(description="Only those made for this lake.", examples=["lake1"])] = None,
) -> Place:
    return Place(bucket, pond, lake)


@router.post(
    "/webhooks",
    status_code=201,
    summary="Create a webhook",
    openapi_extra=may_answer("invalid-webhook", "no-such-bucket", "no-such-pond", "no-such-lake", "no-such-account"),
)
async def create_webhook(call: Call, body: NewWebhookBody) -> WebhookDocument:
    """It sees what happens from now on. A missing `secret` is generated and shown in this answer alone.

    A pond's or lake's webhook matches the buckets there that its `account` owns: by default, the lake's owner.
    """
    definition = body.defined(body.endpoint, body.events)
    made, secret = await call.services.webhooks.create(call.token, definition)
    return WebhookDocument.of(made, secret)


@router.get(
    "/webhooks",
    summary="List webhooks",
    openapi_extra=may_answer("invalid-webhook", "no-such-bucket", "no-such-pond", "no-such-lake"),
)
async def list_webhooks(
    call: Call,
    page: Annotated[PageRequest, Depends(page_request)],
    where: Annotated[Place, Depends(place)],
    standing: Annotated[
        bool, Query(description="Each with `standing`, and with `where` `whereErrors`.", examples=[True])
    ] = False,
) -> DocumentPage[WebhookDocument]:
    """All, or those made for exactly this bucket, pond (as `lake--pond`) or lake."""
    found = await call.services.webhooks.list(call.token, page, where)
    items = [WebhookDocument.of(webhook) for webhook in found.items]
    if standing:
        standings = await call.services.webhooks.standings(found.items)
        for item, webhook in zip(items, found.items, strict=True):
            item.stand(webhook, standings[webhook.id])
    return DocumentPage(items=items, next_cursor=found.next_cursor)


@router.get("/webhooks/{id}", summary="Get a webhook")
async def get_webhook(call: Call, id: WebhookId) -> WebhookDocument:
    """The answer also has `standing`, and with `where` `whereErrors`."""
    webhook = await call.services.webhooks.get(call.token, id)
    document = WebhookDocument.of(webhook)
    document.stand(webhook, await call.services.webhooks.standing(webhook))
    return document


@router.patch("/webhooks/{id}", summary="Change a webhook", openapi_extra=may_answer("invalid-webhook", "conflict"))
async def change_webhook(call: Call, id: WebhookId, body: WebhookChangeBody) -> WebhookDocument:
    """A change applies from the next attempt on.

    Enabling goes on where the webhook stopped (`resume: "position"`), or skips what waits (`resume: "now"`).
    """
    change = WebhookChange(
        endpoint=body.endpoint,
        events=tuple(body.events) if body.events is not None else None,
        secret=body.secret,
        retry_schedule_seconds=_tuple(body.retry_schedule),
        timeout_seconds=body.timeout_seconds,
        ordering=body.ordering,
        on_dead=body.on_dead,
        name=body.name,
        status=body.status,
        resume=body.resume,
        rules=body.given_rules(),
        sealed=body.given_sealed(),
    )
    return WebhookDocument.of(await call.services.webhooks.change(call.token, id, change))


@router.delete("/webhooks/{id}", summary="Delete a webhook", openapi_extra=may_answer("conflict"))
async def delete_webhook(call: Call, id: WebhookId) -> Deleted:
    """Whatever waits for it is canceled."""
    return Deleted(canceled=await call.services.webhooks.delete(call.token, id))


@router.post("/webhooks/{id}/test", status_code=202, summary="Send a test delivery")
async def send_test_delivery(call: Call, id: WebhookId, wait: WaitSeconds = 5) -> DeliveryDocument:
    """A page-shaped `object:created` with `test: true`. Answers as the delivery stands after at most `wait` seconds."""
    delivery_id = await call.services.webhooks.test(call.token, id)
    return DeliveryDocument.of(await call.services.deliveries.wait_for(call.token, str(delivery_id), wait))


@router.get("/webhooks/{id}/deliveries", summary="List a webhook's deliveries")
async def list_deliveries(
    call: Call,
    id: WebhookId,
    page: Annotated[PageRequest, Depends(page_request)],
    also: Annotated[Wanted, Depends(delivery_search)],
    status: Annotated[ListedStatus | None, Query(description="Only with this status.", examples=["dead"])] = None,
) -> DocumentPage[DeliveryDocument]:
    """Without `status`: everything that was attempted, newest first. A page may be short and still have a next one.

    With any other condition only what the history of attempts still knows is found, and of what was not attempted yet
    (`status` is `pending` or `held`) what the log holds. `statusCode`, `since` and `until` are about the last attempt.
    What was coalesced is counted where it was sent (`coalesced`), and not listed.
    """
    found = await call.services.deliveries.list(call.token, id, status, page, also)
    items = [DeliveryDocument.of(delivery) for delivery in found.items]
    return DocumentPage(items=items, next_cursor=found.next_cursor)


def _tuple(seconds: list[float] | None) -> tuple[float, ...] | None:
    return tuple(seconds) if seconds is not None else None
