"""The feed of events: a bucket's in pages, and live streams of a bucket's, a pond's and a lake's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request
from pydantic import ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response

from elasticlake.api.authentication import authenticate
from elasticlake.api.buckets import BucketPath
from elasticlake.api.documents import Document, IfGiven, Limit, Timestamp, WaitSeconds, example, resource
from elasticlake.api.lakes import LakeSlug
from elasticlake.api.ponds import PondSlug
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call, CurrentCall
from elasticlake.api.stream import MEDIA_TYPE, EventStream, is_wanted
from elasticlake.errors import InvalidInput, NoSuchBucket, NotFound, TooManyBuckets
from elasticlake.model.events import EventType, encode_payload, payload
from elasticlake.model.positions import Positions
from elasticlake.service.place_tail import Place

router = resource("events")
MAX_SEQUENCE = 2**63 - 1
Order = Literal["asc", "desc"]

_EXAMPLE: dict[str, Any] = {
    "event": "object:created",
    "timestamp": "2025-10-30T14:22:33Z",
    "bucket": "lake1--pond1--my-bucket",
    "object": {
        "key": "uploads/document.pdf",
        "size": 1048576,
        "etag": "d41d8cd98f00b204e9800998ecf8427e",
        "contentType": "application/pdf",
    },
    "lake": "production",
    "pond": "documents",
    "id": "evt_agn2ki4ftkym2xmxyobnmv5l",
    "sequence": 1,
    "reason": "PutObject",
    "principal": "EL7XQ2M4ZK5TWPN3VJ6A",
    "requestId": "9B1C4D2E8F3A5B60",
}


class DescribedObject(Document):
    key: str
    size: int
    etag: str
    content_type: str
    version_id: IfGiven[str] = None


class PreviousDocument(Document):
    size: int
    etag: str
    version_id: IfGiven[str] = None


class EventDocument(Document):
    """An event, exactly as webhooks send it."""

    model_config = ConfigDict(json_schema_extra=example(**_EXAMPLE))

    event: EventType
    timestamp: Timestamp
    bucket: str
    object: DescribedObject
    lake: str
    pond: str
    id: str
    sequence: int
    reason: str
    previous: IfGiven[PreviousDocument] = None
    principal: str | None
    request_id: str | None


class FeedDocument(Document):
    """Events in sequence, and the first and last sequence that the log holds."""

    model_config = ConfigDict(json_schema_extra=example(items=[_EXAMPLE], lastSequence=1, firstSequence=1))

    items: list[EventDocument]
    last_sequence: int
    first_sequence: int


_SAMPLE = (
    "retry: 1000\nid: 41\n\nid: 42\nevent: object:created\n"
    'data: {"event":"object:created","timestamp":"2025-10-30T14:22:33Z","bucket":"lake1--pond1--my-bucket",…}\n\n'
    ": ping\n\n"
)
_STREAM: dict[str, Any] = {"schema": {"type": "string"}, "example": _SAMPLE}
_LAST_EVENT_ID = "Last-Event-ID"
LastEventId = Annotated[
    str | None,
    Header(
        alias=_LAST_EVENT_ID,
        max_length=32768,
        description="The last event seen of a stream; goes before `after`.",
        examples=["0"],
    ),
]
AfterPosition = Annotated[
    str | None,
    Query(
        max_length=32768,
        description="The id of the last event seen, or `0` for all that are kept; without it, from now on.",
        examples=["0"],
    ),
]


@router.get(
    "/buckets/{bucket}/events",
    summary="Read a bucket's events",
    response_model=FeedDocument,
    responses={200: {"description": "A page, or a stream.", "content": {MEDIA_TYPE: _STREAM}}},
    openapi_extra=may_answer("events-expired"),
)
async def list_events(
    call: Call,
    request: Request,
    bucket: BucketPath,
    after: Annotated[
        int | None,
        Query(
            ge=0,
            le=MAX_SEQUENCE,
            description="The last sequence already seen; without it, from the first kept, and a stream from now on.",
            examples=[41],
        ),
    ] = None,
    before: Annotated[
        int | None,
        Query(
            ge=0,
            le=MAX_SEQUENCE,
            description="With `order=desc`: only what comes before; without it, the last ones.",
            examples=[42],
        ),
    ] = None,
    order: Annotated[Order, Query(description="`desc`: the latest first.", examples=["desc"])] = "asc",
    key: Annotated[str | None, Query(description="Only of this key.", examples=["uploads/document.pdf"])] = None,
    limit: Limit = 100,
    wait: WaitSeconds = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """Ask again with `after` set to the last item's `sequence`. With `wait`, an empty answer comes only when that long
    nothing happened. 410 with `firstSequence` if events after `after` are gone. With `order=desc` ask again with
    `before` set to the last item's `sequence`.

    With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that does not end: `data` is what a
    webhook would receive, `id` the sequence, with which a reader that lost its connection goes on."""
    if is_wanted(request.headers.get("accept"), alone=False):
        _refuse("A stream tells of all that happens, in order.", before=before, key=key, order=order == "desc" or None)
        return await _stream_bucket(call, request, bucket, after, last_event_id)
    key_bytes = key.encode() if key is not None else None
    if order == "desc":
        _refuse("With order=desc ask for what lies before a sequence.", after=after, wait=wait or None)
        page = await call.services.feed.before(call.token, bucket, before, limit, key_bytes)
    else:
        _refuse("It goes with order=desc.", before=before)
        page = await call.services.feed.after(call.token, bucket, after, limit, wait, key_bytes)
    document = {
        "items": [payload(event) for event in page.events],
        "lastSequence": page.last_sequence,
        "firstSequence": page.first_sequence,
    }
    # Written as a delivery's body is, so that what is pulled and what is pushed are the same bytes.
    return Response(encode_payload(document), media_type="application/json")


@router.get(
    "/lakes/{lake}/events",
    summary="Stream a lake's events",
    response_class=Response,
    response_model=None,
    responses={200: {"description": "A stream.", "content": {MEDIA_TYPE: _STREAM}}},
    openapi_extra=may_answer("not-acceptable", "position-expired", "too-many-buckets"),
)
async def stream_lake_events(
    call: Call, request: Request, lake: LakeSlug, after: AfterPosition = None, last_event_id: LastEventId = None
) -> Response:
    """Server-Sent Events of all buckets of the lake that the token reaches, also of those made later; each bucket's in
    sequence. An `id` holds a position in each bucket. 410 if events after it are gone."""

    async def find() -> Place:
        return Place("lake", (await call.services.hierarchy.get_lake(call.token, lake, "read")).id)

    return await _stream_place(call, request, find, after, last_event_id)


@router.get(
    "/lakes/{lake}/ponds/{pond}/events",
    summary="Stream a pond's events",
    response_class=Response,
    response_model=None,
    responses={200: {"description": "A stream.", "content": {MEDIA_TYPE: _STREAM}}},
    openapi_extra=may_answer("not-acceptable", "position-expired", "too-many-buckets"),
)
async def stream_pond_events(
    call: Call,
    request: Request,
    lake: LakeSlug,
    pond: PondSlug,
    after: AfterPosition = None,
    last_event_id: LastEventId = None,
) -> Response:
    """As a lake's stream, of one pond's buckets."""

    async def find() -> Place:
        return Place("pond", (await call.services.hierarchy.get_pond(call.token, lake, pond, "read")).id)

    return await _stream_place(call, request, find, after, last_event_id)


async def _stream_bucket(
    call: CurrentCall, request: Request, name: str, after: int | None, last_event_id: str | None
) -> EventStream:
    sequence = after if not last_event_id else _sequence(last_event_id)
    bucket = await call.services.hierarchy.get_bucket(call.token, name, "read")
    tail = await call.services.feed.tail_bucket(bucket, sequence)

    async def still_allowed() -> None:
        await authenticate(request)
        if (await call.services.hierarchy.get_bucket(call.token, name, "read")).id != bucket.id:
            raise NoSuchBucket

    return EventStream(tail, still_allowed)


async def _stream_place(
    call: CurrentCall,
    request: Request,
    find: Callable[[], Awaitable[Place]],
    after: str | None,
    last_event_id: str | None,
) -> EventStream:
    if not is_wanted(request.headers.get("accept"), alone=True):
        raise HTTPException(406, f"These events are a stream: ask with Accept: {MEDIA_TYPE}.")
    given, field = (last_event_id, _LAST_EVENT_ID) if last_event_id else (after, "after")
    positions = Positions.parse(given, field) if given else None
    place = await find()
    tail = await call.services.feed.tail_place(call.token, place, positions)

    async def still_allowed() -> None:
        await authenticate(request)
        if await find() != place:
            raise NotFound

    try:
        return EventStream(tail, still_allowed)
    except TooManyBuckets:
        tail.close()
        raise


def _refuse(reason: str, **given: object) -> None:
    """Raise `InvalidInput` for the first of these parameters that is not None."""
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(name, reason)


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_SEQUENCE):
        raise InvalidInput(_LAST_EVENT_ID, "A bucket's events have their sequence as id, a whole number.")
    return int(text)
