"""Lakes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from pydantic import ConfigDict

from elasticlake.api.documents import (
    Body,
    Document,
    DocumentPage,
    Timestamp,
    example,
    page_request,
    resource,
    timestamp,
)
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import AccountName, DisplayName, Slug
from elasticlake.metadata.hierarchy import Lake
from elasticlake.service.pages import PageRequest

router = resource("lakes")
LakeSlug = Annotated[str, Path(examples=["lake1"], description="The lake's slug.")]


class NewLake(Body):
    model_config = ConfigDict(json_schema_extra=example(lake="lake1", name="production"))

    lake: Slug
    name: DisplayName | None = None
    account: AccountName | None = None


class Renaming(Body):
    """A new display name."""

    model_config = ConfigDict(json_schema_extra=example(name="production"))

    name: DisplayName


class LakeDocument(Document):
    model_config = ConfigDict(
        json_schema_extra=example(
            lake="lake1",
            name="production",
            account="root",
            createdAt="2026-01-02T03:04:05.678Z",
            buckets=1,
            objects=2,
            bytes=2097152,
        )
    )

    lake: str
    name: str
    account: str
    created_at: Timestamp
    buckets: int
    objects: int
    bytes: int

    @classmethod
    def of(cls, lake: Lake) -> LakeDocument:
        return cls(
            lake=lake.slug,
            name=lake.name,
            account=lake.account_id,
            created_at=timestamp(lake.created_at_ms),
            buckets=lake.buckets,
            objects=lake.objects,
            bytes=lake.size_bytes,
        )


@router.post(
    "/lakes",
    status_code=201,
    summary="Create a lake",
    openapi_extra=may_answer("already-exists", "no-such-account", "insufficient-storage"),
)
async def create_lake(call: Call, body: NewLake) -> LakeDocument:
    """The display name is the slug unless `name` says otherwise; the payloads of webhooks carry it."""
    return LakeDocument.of(await call.services.hierarchy.create_lake(call.token, body.lake, body.name, body.account))


@router.get("/lakes", summary="List lakes")
async def list_lakes(call: Call, page: Annotated[PageRequest, Depends(page_request)]) -> DocumentPage[LakeDocument]:
    """Those that the token reaches something of, by slug. Lake `default` always exists."""
    lakes = await call.services.hierarchy.list_lakes(call.token, page)
    return DocumentPage(items=[LakeDocument.of(lake) for lake in lakes.items], next_cursor=lakes.next_cursor)


@router.get("/lakes/{lake}", summary="Get a lake")
async def get_lake(call: Call, lake: LakeSlug) -> LakeDocument:
    """With how much its buckets hold."""
    return LakeDocument.of(await call.services.hierarchy.get_lake(call.token, lake))


@router.patch("/lakes/{lake}", summary="Rename a lake")
async def change_lake(call: Call, lake: LakeSlug, body: Renaming) -> LakeDocument:
    """Changes the display name; events carry the new one from then on. The slug stays."""
    return LakeDocument.of(await call.services.hierarchy.rename_lake(call.token, lake, body.name))


@router.delete(
    "/lakes/{lake}", status_code=204, summary="Delete a lake", openapi_extra=may_answer("conflict", "not-empty")
)
async def delete_lake(call: Call, lake: LakeSlug) -> None:
    """409 while the lake has ponds or webhooks."""
    await call.services.hierarchy.delete_lake(call.token, lake)
