"""What a webhook has not acknowledged."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from pydantic import ConfigDict

from elasticlake.api.documents import (
    Document,
    DocumentPage,
    Timestamp,
    example,
    optional_timestamp,
    page_request,
    resource,
)
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.webhooks import WebhookId
from elasticlake.service.pages import PageRequest
from elasticlake.service.reconcile import State, Unacknowledged

router = resource("webhooks")


class UnacknowledgedDocument(Document):
    """A key's latest event that the webhook wants and has not taken.

    `pending`: not attempted yet; `retrying`: attempted in vain so far; `held`: an earlier event is retrying, and this
    one waits for it; `dead`: given up. `event` is null where the log no longer has it.
    """

    model_config = ConfigDict(
        json_schema_extra=example(
            bucket="lake1--pond1--my-bucket",
            key="uploads/document.pdf",
            sequence=42,
            state="retrying",
            event="object:updated",
            eventId="evt_019a357fb4287736c896b33f5fb6d6",
            timestamp="2026-01-02T03:04:05.678Z",
        )
    )

    bucket: str
    key: str
    sequence: int
    state: State
    event: str | None
    event_id: str | None
    timestamp: Timestamp | None

    @classmethod
    def of(cls, found: Unacknowledged) -> UnacknowledgedDocument:
        event = found.event
        return cls(
            bucket=found.bucket,
            key=found.key.decode(errors="replace"),
            sequence=found.sequence,
            state=found.state,
            event=event.type if event is not None else None,
            event_id=event.id if event is not None else None,
            timestamp=optional_timestamp(event.time_ms if event is not None else None),
        )


@router.get(
    "/webhooks/{id}/reconcile",
    summary="List what a webhook has not acknowledged",
    openapi_extra=may_answer("no-such-bucket"),
)
async def reconcile(
    call: Call,
    id: WebhookId,
    page: Annotated[PageRequest, Depends(page_request)],
    bucket: Annotated[
        str | None,
        Query(description="One of the buckets that the webhook listens to.", examples=["lake1--pond1--my-bucket"]),
    ] = None,
    prefix: Annotated[str, Query(description="Only keys that begin so.", examples=["uploads/"])] = "",
) -> DocumentPage[UnacknowledgedDocument]:
    """Each key once, by its latest event; whatever is not listed was acknowledged, or is from before the webhook began.
    A page may be short and still have a next one."""
    found = await call.services.reconciling.page(call.token, id, bucket, prefix, page)
    items = [UnacknowledgedDocument.of(one) for one in found.items]
    return DocumentPage(items=items, next_cursor=found.next_cursor)
