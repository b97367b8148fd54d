"""The audit log: who changed what of the installation, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import ConfigDict

from elasticlake.api.documents import Document, DocumentPage, Timestamp, example, page_request, resource, timestamp
from elasticlake.api.services import Call
from elasticlake.api.values import Moment
from elasticlake.model import activity as model
from elasticlake.model.accounts import ActorKind
from elasticlake.service.activity import Search
from elasticlake.service.pages import PageRequest

router = resource("activity")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ActorDocument(Document):
    """By what it was done: a token or an access key, of which this is the id; `system` is the server itself."""

    kind: ActorKind
    id: str


class ActivityDocument(Document):
    """Something that was done. `subject` is the id or the name of what it was done to, `account` whose that is."""

    model_config = ConfigDict(
        json_schema_extra=example(
            id=42,
            time="2026-01-02T03:04:05.678Z",
            actor={"kind": "token", "id": "tok_mfrggzdfmztwq2lk"},
            action="webhook:changed",
            subject="wh_mfrggzdfmztwq2lk",
            account="acme",
            bucket="lake1--pond1--my-bucket",
            detail={"bucket": "lake1--pond1--my-bucket", "fields": ["endpoint"]},
            requestId="9B1C4D2E8F3A5B60",
        )
    )

    id: int
    time: Timestamp
    actor: ActorDocument
    action: str
    subject: str
    account: str | None
    bucket: str | None
    detail: dict[str, Any]
    request_id: str | None

    @classmethod
    def of(cls, entry: model.Activity) -> ActivityDocument:
        done = entry.done
        return cls(
            id=entry.id,
            time=timestamp(entry.time_ms),
            actor=ActorDocument(kind=entry.actor.kind, id=entry.actor.id),
            action=done.action,
            subject=done.subject,
            account=done.account_id,
            bucket=done.bucket,
            detail=dict(done.detail or {}),
            request_id=entry.actor.request_id,
        )


def activity_search(
    actor: Annotated[
        str | None, Query(description="Only by this: an id, a kind with a colon, or both.", examples=["token:root"])
    ] = None,
    action: Annotated[str | None, Query(description="Only actions that begin so.", examples=["webhook:"])] = None,
    subject: Annotated[
        str | None, Query(description="Only of this: an id or a name, with its kind or not.", examples=["lake:lake1"])
    ] = None,
    since: Annotated[Moment | None, Query(description="Only then or later.", examples=["2026-01-02T03:00:00Z"])] = None,
    until: Annotated[Moment | None, Query(description="Only before.", examples=["2026-01-02T04:00:00Z"])] = None,
) -> Search:
    """What the query asks for."""
    return Search(
        actor,
        action,
        subject,
        _milliseconds(since) if since is not None else None,
        _milliseconds(until) if until is not None else None,
    )


@router.get("/activity", summary="Read the audit log")
async def list_activity(
    call: Call,
    page: Annotated[PageRequest, Depends(page_request)],
    search: Annotated[Search, Depends(activity_search)],
) -> DocumentPage[ActivityDocument]:
    """What was done to accounts, keys, tokens, lakes, ponds, buckets and webhooks, the newest first; deliveries sent
    again, and jobs. Changes of objects are events. A token that is limited to some accounts sees what concerns them."""
    found = await call.services.activities.list(call.token, page, search)
    return DocumentPage(items=[ActivityDocument.of(entry) for entry in found.items], next_cursor=found.next_cursor)


def _milliseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)
