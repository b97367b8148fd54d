"""Deliveries and their attempts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import ConfigDict

from elasticlake.api.documents import (
    Document,
    Timestamp,
    example,
    milliseconds,
    optional_timestamp,
    resource,
    timestamp,
)
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import Moment
from elasticlake.errors import InvalidInput
from elasticlake.metadata.attempt_search import Wanted
from elasticlake.metadata.history import Attempt
from elasticlake.model.events import EventType
from elasticlake.model.status_codes import STATUS_CODES, parse_status_codes
from elasticlake.model.timings import Timings
from elasticlake.model.webhooks import DeliveryStatus
from elasticlake.service.delivery_status import Delivery

router = resource("deliveries")
DeliveryIdPath = Annotated[
    str, Path(examples=["dlv_mfrggzdfmztwq2lkaeaqa"], description="The delivery's id (`X-ElasticLake-Delivery`).")
]
_EXAMPLE: dict[str, Any] = {
    "id": "dlv_mfrggzdfmztwq2lkaeaqa",
    "webhook": "wh_mfrggzdfmztwq2lk",
    "bucket": "lake1--pond1--my-bucket",
    "sequence": 1,
    "eventId": "evt_agn2ki4ftkym2xmxyobnmv5l",
    "event": "object:created",
    "key": "uploads/document.pdf",
    "status": "delivered",
    "attempts": 1,
    "nextAttemptAt": None,
    "lastAttemptAt": "2026-01-02T03:04:05.678Z",
    "lastStatusCode": 200,
    "generation": 0,
    "kind": "event",
}
_ATTEMPT_EXAMPLE: dict[str, Any] = {
    "attempt": 1,
    "startedAt": "2026-01-02T03:04:05.678Z",
    "durationMs": 12.5,
    "statusCode": 200,
    "errorClass": None,
    "error": None,
    "requestHeaders": {"X-ElasticLake-Event": "object:created"},
    "requestBody": '{"event":"object:created"}',
    "responseHeaders": {"Content-Type": "text/plain"},
    "responseBody": "OK",
    "nextAttemptAt": None,
    "address": "203.0.113.7",
    "timings": {"dnsMs": 1.5, "connectMs": 2.25, "tlsMs": 4.5, "firstByteMs": 3.75},
}


class DeliveryDocument(Document):
    """One event for one webhook. A test has no event, and for a pond's or lake's webhook no bucket. An event that tells
    of another webhook has neither bucket nor key; its `sequence` counts such events alone."""

    model_config = ConfigDict(json_schema_extra=example(**_EXAMPLE))

    id: str
    webhook: str
    bucket: str | None
    sequence: int
    event_id: str | None
    event: str
    key: str | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: Timestamp | None
    last_attempt_at: Timestamp | None
    last_status_code: int | None
    generation: int
    kind: Literal["event", "redelivery", "test", "replay", "backfill"]

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryDocument:
        return cls(**_members(delivery))


class TimingsDocument(Document):
    """How long the steps took; null for a step that was not taken (a kept connection needs no address) or not ended."""

    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None

    @classmethod
    def of(cls, timings: Timings | None) -> TimingsDocument | None:
        if timings is None:
            return None
        return cls(
            dns_ms=timings.dns_ms,
            connect_ms=timings.connect_ms,
            tls_ms=timings.tls_ms,
            first_byte_ms=timings.first_byte_ms,
        )


class AttemptDocument(Document):
    """One HTTP request of a delivery; of the answer's body, the first 16 KiB."""

    model_config = ConfigDict(json_schema_extra=example(**_ATTEMPT_EXAMPLE))

    attempt: int
    started_at: Timestamp
    duration_ms: float
    status_code: int | None
    error_class: str | None
    error: str | None
    request_headers: dict[str, str]
    request_body: str
    response_headers: dict[str, str]
    response_body: str
    next_attempt_at: Timestamp | None
    address: str | None
    timings: TimingsDocument | None

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptDocument:
        return cls(
            attempt=attempt.attempt,
            started_at=timestamp(attempt.started_at_ms),
            duration_ms=attempt.duration_ms,
            status_code=attempt.status_code,
            error_class=attempt.error_class,
            error=attempt.error,
            request_headers=_joined(attempt.request_headers),
            request_body=attempt.request_body.decode(errors="replace"),
            response_headers=_joined(attempt.response_headers),
            response_body=attempt.response_body.decode(errors="replace"),
            next_attempt_at=optional_timestamp(attempt.next_attempt_at_ms),
            address=attempt.address,
            timings=TimingsDocument.of(attempt.timings),
        )


class DeliveryWithAttempts(DeliveryDocument):
    """A delivery and every kept attempt of it, in order."""

    model_config = ConfigDict(json_schema_extra=example(**_EXAMPLE, attemptLog=[_ATTEMPT_EXAMPLE]))

    attempt_log: list[AttemptDocument]


@router.get("/deliveries/{id}", summary="Get a delivery with its attempts")
async def get_delivery(call: Call, id: DeliveryIdPath) -> DeliveryWithAttempts:
    """Attempts are kept for as long as the history is (`--history-days`)."""
    found = await call.services.deliveries.get(call.token, id)
    log = [AttemptDocument.of(attempt) for attempt in found.attempts]
    return DeliveryWithAttempts(**_members(found.delivery), attempt_log=log)


@router.post(
    "/deliveries/{id}/redeliver",
    status_code=202,
    summary="Send a delivery again",
    openapi_extra=may_answer("events-expired"),
)
async def redeliver(call: Call, id: DeliveryIdPath) -> DeliveryDocument:
    """Out of order and at once, as a delivery of its own. 410 if the log no longer has the event."""
    return DeliveryDocument.of(await call.services.deliveries.redeliver(call.token, id))


def delivery_search(
    event: Annotated[EventType | None, Query(description="Only of this type.", examples=["object:created"])] = None,
    key: Annotated[str | None, Query(description="Only of this key.", examples=["uploads/document.pdf"])] = None,
    key_prefix: Annotated[
        str | None, Query(alias="keyPrefix", description="Only of keys that begin so.", examples=["uploads/"])
    ] = None,
    status_code: Annotated[
        str | None,
        Query(
            alias="statusCode",
            json_schema_extra={"pattern": STATUS_CODES.pattern},
            description="Only whose last attempt was answered so: `500`, or `5xx` for all of these.",
            examples=["5xx"],
        ),
    ] = None,
    since: Annotated[
        Moment | None,
        Query(description="Only whose last attempt began then or later.", examples=["2026-01-02T03:00:00Z"]),
    ] = None,
    until: Annotated[
        Moment | None,
        Query(description="Only whose last attempt began before.", examples=["2026-01-02T04:00:00Z"]),
    ] = None,
) -> Wanted:
    """What the query asks for beside the status. Raises `InvalidInput` for a status code that is none, and for a time
    that ends before it begins."""
    if since is not None and until is not None and until <= since:
        raise InvalidInput("until", "until must be later than since.")
    return Wanted(
        event=event,
        key=key.encode() if key is not None else None,
        key_prefix=key_prefix.encode() if key_prefix is not None else None,
        status_codes=parse_status_codes(status_code) if status_code is not None else None,
        since_ms=milliseconds(since) if since is not None else None,
        until_ms=milliseconds(until) if until is not None else None,
    )


def _members(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.id),
        "webhook": delivery.id.webhook_id,
        "bucket": delivery.bucket,
        "sequence": delivery.id.sequence,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "key": delivery.key.decode(errors="replace") if delivery.key is not None else None,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": optional_timestamp(delivery.next_attempt_at_ms),
        "last_attempt_at": optional_timestamp(delivery.last_attempt_at_ms),
        "last_status_code": delivery.last_status_code,
        "generation": delivery.id.generation,
        "kind": delivery.kind,
    }


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Fields that come more than once as one, comma-separated (RFC 9110, 5.2)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
