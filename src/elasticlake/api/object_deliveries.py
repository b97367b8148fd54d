"""The deliveries of an object's events."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from elasticlake.api.buckets import BucketPath
from elasticlake.api.deliveries import DeliveryDocument
from elasticlake.api.documents import DocumentPage, page_request, resource
from elasticlake.api.services import Call
from elasticlake.service.pages import PageRequest

router = resource("deliveries")


@router.get("/buckets/{bucket}/deliveries", summary="List an object's deliveries")
async def list_object_deliveries(
    call: Call,
    bucket: BucketPath,
    key: Annotated[str, Query(description="The object's key.", examples=["uploads/document.pdf"])],
    page: Annotated[PageRequest, Depends(page_request)],
) -> DocumentPage[DeliveryDocument]:
    """Who was told of the object, when, and with which answer: its events that the log still has, the newest first,
    each for every webhook that it matches. A page may be short and still have a next one.

    Redeliveries and replays are not listed; what one of them brought is `delivered`. `GET /v1/deliveries/{id}` has the
    attempts.
    """
    found = await call.services.object_deliveries.page(call.token, bucket, key.encode(), page)
    items = [DeliveryDocument.of(delivery) for delivery in found.items]
    return DocumentPage(items=items, next_cursor=found.next_cursor)
