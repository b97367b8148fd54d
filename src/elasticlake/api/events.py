"""The pull feed of a bucket's events."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from elasticlake.api.buckets import BucketPath
from elasticlake.api.documents import Document, Limit, Timestamp, WaitSeconds, example, resource
from elasticlake.api.services import Call
from elasticlake.model.events import EventType, encode_payload, payload

router = resource("events")
MAX_SEQUENCE = 2**63 - 1
_IfGiven = Field(default=None, exclude_if=lambda value: value is None)


class DescribedObject(Document):
    key: str
    size: int
    etag: str
    content_type: str
    version_id: str | None = _IfGiven


class PreviousDocument(Document):
    size: int
    etag: str
    version_id: str | None = _IfGiven


class EventDocument(Document):
    """An event, exactly as webhooks send it."""

    model_config = ConfigDict(
        json_schema_extra=example(
            event="object:created",
            timestamp="2025-10-30T14:22:33Z",
            bucket="lake1--pond1--my-bucket",
            object={
                "key": "uploads/document.pdf",
                "size": 1048576,
                "etag": "d41d8cd98f00b204e9800998ecf8427e",
                "contentType": "application/pdf",
            },
            lake="production",
            pond="documents",
            id="evt_agn2ki4ftkym2xmxyobnmv5l",
            sequence=1,
            reason="PutObject",
            principal="EL7XQ2M4ZK5TWPN3VJ6A",
            requestId="9B1C4D2E8F3A5B60",
        )
    )

    event: EventType
    timestamp: Timestamp
    bucket: str
    object: DescribedObject
    lake: str
    pond: str
    id: str
    sequence: int
    reason: str
    previous: PreviousDocument | None = _IfGiven
    principal: str | None
    request_id: str | None


class FeedDocument(Document):
    """Events in sequence, and the first and last sequence that the log holds."""

    items: list[EventDocument]
    last_sequence: int = Field(examples=[1])
    first_sequence: int = Field(examples=[1])


@router.get("/buckets/{bucket}/events", summary="Read a bucket's events", response_model=FeedDocument)
async def list_events(
    call: Call,
    bucket: BucketPath,
    after: Annotated[
        int | None,
        Query(ge=0, le=MAX_SEQUENCE, description="The last sequence already seen; without it, from the first kept."),
    ] = None,
    limit: Limit = 100,
    wait: WaitSeconds = 0,
) -> Response:
    """Ask again with `after` set to the last item's `sequence`. With `wait`, an empty answer comes only when that long
    nothing happened. 410 with `firstSequence` if events after `after` are gone."""
    page = await call.services.feed.after(call.token, bucket, after, limit, wait)
    document = {
        "items": [payload(event) for event in page.events],
        "lastSequence": page.last_sequence,
        "firstSequence": page.first_sequence,
    }
    # Written as a delivery's body is, so that what is pulled and what is pushed are the same bytes.
    return Response(encode_payload(document), media_type="application/json")
