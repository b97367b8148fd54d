"""Jobs: replays and backfills, how far they are, and their end before time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response
from pydantic import ConfigDict, Field

from elasticlake.api.documents import (
    Body,
    Document,
    DocumentPage,
    Text,
    Timestamp,
    example,
    optional_timestamp,
    page_request,
    resource,
    timestamp,
)
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call, CurrentCall
from elasticlake.api.values import BucketText, Flag, Moment, Rate, Sequence
from elasticlake.api.webhooks import WebhookId
from elasticlake.metadata.jobs import Job
from elasticlake.model.events import EventType
from elasticlake.model.jobs import MAX_PREFIX_BYTES, JobKind, JobParameters, JobStatus, Only
from elasticlake.service.pages import PageRequest

_EXAMPLE: dict[str, Any] = {
    "id": "job_019b7cabb0aeab12cd34ef56",
    "webhook": "wh_mfrggzdfmztwq2lk",
    "kind": "replay",
    "status": "running",
    "bucket": "lake1--pond1--my-bucket",
    "prefix": "uploads/",
    "events": ["object:created"],
    "only": "all",
    "fromSequence": None,
    "toSequence": None,
    "since": "2026-01-02T03:00:00.000Z",
    "until": None,
    "rateLimit": 50,
    "freshIds": False,
    "total": 1200,
    "scanned": 640,
    "matched": 512,
    "sent": 512,
    "delivered": 510,
    "failed": 2,
    "skipped": 0,
    "createdAt": "2026-01-02T03:04:05.678Z",
    "updatedAt": "2026-01-02T03:04:15.678Z",
    "endedAt": None,
    "error": None,
}

router = resource("jobs")
JobId = Annotated[str, Path(examples=[_EXAMPLE["id"]], description="The job's id.")]
JobRate = Annotated[Rate | None, Field(description="Deliveries a second, at most.", examples=[50])]
Bucket = Annotated[
    BucketText | None, Field(description="One of the buckets that the webhook listens to; without it, all of them.")
]
Prefix = Annotated[
    Text,
    Field(
        json_schema_extra={"maxLength": MAX_PREFIX_BYTES},
        description="Only of keys that begin so.",
        examples=["uploads/"],
    ),
]
DryRun = Annotated[Flag, Field(description="Make no job: say how many events it would send.")]


class ReplayBody(Body):
    """Which past events to send again: by sequences or by times, or else all that the log holds."""

    model_config = ConfigDict(json_schema_extra=example(since="2026-01-02T03:00:00Z", prefix="uploads/", rateLimit=50))

    bucket: Bucket = None
    from_sequence: Sequence | None = None
    to_sequence: Sequence | None = None
    since: Moment | None = None
    until: Annotated[Moment | None, Field(description="Only events before that time.")] = None
    prefix: Prefix = ""
    events: list[EventType] = Field(default=[], description="Of what the webhook subscribed to, only these types.")
    only: Annotated[
        Only,
        Field(description="`dead`: what was given up; `retrying`: what is attempted again and again, now."),
    ] = "all"
    rate_limit: JobRate = None
    fresh_ids: Annotated[
        Flag, Field(description="Give events new ids, for a receiver that ignores those it knows.")
    ] = False
    dry_run: DryRun = False

    def parameters(self) -> JobParameters:
        return JobParameters(
            bucket=self.bucket,
            prefix=self.prefix,
            events=tuple(self.events),
            only=self.only,
            from_sequence=self.from_sequence,
            to_sequence=self.to_sequence,
            since_ms=_milliseconds(self.since),
            until_ms=_milliseconds(self.until),
            rate_limit=self.rate_limit,
            fresh_ids=self.fresh_ids,
        )


class BackfillBody(Body):
    """Which of the objects that exist to tell of."""

    model_config = ConfigDict(json_schema_extra=example(prefix="uploads/", dryRun=True))

    bucket: Bucket = None
    prefix: Prefix = ""
    rate_limit: JobRate = None
    dry_run: DryRun = False

    def parameters(self) -> JobParameters:
        return JobParameters(bucket=self.bucket, prefix=self.prefix, rate_limit=self.rate_limit)


class JobDocument(Document):
    """A job and how far it is. Of `total` it has looked at `scanned`; `total` is null where that is not known.

    What `failed` is attempted again as a delivery of its own; `skipped` are objects that are gone, or of which the
    webhook learns anyway. What is sent and not answered yet is in none of the counts, and so is what comes after it.
    """

    model_config = ConfigDict(json_schema_extra=example(**_EXAMPLE))

    id: str
    webhook: str
    kind: JobKind
    status: JobStatus
    bucket: str | None
    prefix: str
    events: list[str]
    only: Only
    from_sequence: int | None
    to_sequence: int | None
    since: Timestamp | None
    until: Timestamp | None
    rate_limit: float | None
    fresh_ids: bool
    total: int | None
    scanned: int
    matched: int
    sent: int
    delivered: int
    failed: int
    skipped: int
    created_at: Timestamp
    updated_at: Timestamp
    ended_at: Timestamp | None
    error: str | None

    @classmethod
    def of(cls, job: Job) -> JobDocument:
        asked, tally = job.parameters, job.tally
        return cls(
            id=job.id,
            webhook=job.webhook_id,
            kind=job.kind,
            status=job.status,
            bucket=asked.bucket,
            prefix=asked.prefix,
            events=list(asked.events),
            only=asked.only,
            from_sequence=asked.from_sequence,
            to_sequence=asked.to_sequence,
            since=optional_timestamp(asked.since_ms),
            until=optional_timestamp(asked.until_ms),
            rate_limit=asked.rate_limit,
            fresh_ids=asked.fresh_ids,
            total=job.total,
            scanned=tally.scanned,
            matched=tally.matched,
            sent=tally.sent,
            delivered=tally.delivered,
            failed=tally.failed,
            skipped=tally.skipped,
            created_at=timestamp(job.created_at_ms),
            updated_at=timestamp(job.updated_at_ms),
            ended_at=optional_timestamp(job.ended_at_ms),
            error=job.error,
        )


class CountDocument(Document):
    """How many events a job would send; with `atLeast` there may be more, since counting them all takes too long."""

    model_config = ConfigDict(json_schema_extra=example(matched=512, atLeast=False))

    matched: int
    at_least: bool


_ALL_EVENTS, _ALL_OBJECTS = ReplayBody(), BackfillBody()
_COUNTED: dict[int | str, dict[str, Any]] = {
    200: {"model": CountDocument, "description": "What a job would send, with `dryRun`."}
}


@router.post(
    "/webhooks/{id}/replay",
    status_code=202,
    responses=_COUNTED,
    summary="Send past events again",
    openapi_extra=may_answer("no-such-bucket", "events-expired", "too-many-jobs"),
)
async def replay(
    call: Call, id: WebhookId, response: Response, body: ReplayBody = _ALL_EVENTS
) -> JobDocument | CountDocument:
    """A job that sends what the log holds up to now, each key's events in sequence, beside whatever happens meanwhile.
    The webhook's event types and filter apply as they are now. 410 if `fromSequence` is no longer in the log."""
    return await _make(call, id, "replay", body, response)


@router.post(
    "/webhooks/{id}/backfill",
    status_code=202,
    responses=_COUNTED,
    summary="Tell of existing objects",
    openapi_extra=may_answer("no-such-bucket", "too-many-jobs"),
)
async def backfill(
    call: Call, id: WebhookId, response: Response, body: BackfillBody = _ALL_OBJECTS
) -> JobDocument | CountDocument:
    """A job that sends one `object:created` with `"backfill": true` for each object that exists, as it is, whether or
    not the log still knows of it. The webhook's filter applies, its event types do not."""
    return await _make(call, id, "backfill", body, response)


async def _make(
    call: CurrentCall, webhook_id: str, kind: JobKind, body: ReplayBody | BackfillBody, response: Response
) -> JobDocument | CountDocument:
    if not body.dry_run:
        return JobDocument.of(await call.services.jobs.create(call.token, webhook_id, kind, body.parameters()))
    response.status_code = 200
    count = await call.services.jobs.count(call.token, webhook_id, kind, body.parameters())
    return CountDocument(matched=count.matched, at_least=count.at_least)


@router.get("/jobs", summary="List jobs", openapi_extra=may_answer("no-such-webhook"))
async def list_jobs(
    call: Call,
    page: Annotated[PageRequest, Depends(page_request)],
    webhook: Annotated[str | None, Query(description="Only this webhook's.", examples=["wh_mfrggzdfmztwq2lk"])] = None,
    status: Annotated[JobStatus | None, Query(description="Only with this status.", examples=["running"])] = None,
) -> DocumentPage[JobDocument]:
    """The newest first."""
    found = await call.services.jobs.list(call.token, page, webhook, status)
    return DocumentPage(items=[JobDocument.of(job) for job in found.items], next_cursor=found.next_cursor)


@router.get("/jobs/{id}", summary="Get a job")
async def get_job(call: Call, id: JobId) -> JobDocument:
    """How far it is: its counts grow while it runs."""
    return JobDocument.of(await call.services.jobs.get(call.token, id))


@router.post("/jobs/{id}/cancel", summary="Cancel a job")
async def cancel_job(call: Call, id: JobId) -> JobDocument:
    """It begins no attempt any more, and what it failed to deliver is not attempted again. A job that has ended stays
    as it is."""
    return JobDocument.of(await call.services.jobs.cancel(call.token, id))


def _milliseconds(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1000)
