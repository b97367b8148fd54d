"""Ponds."""

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
from elasticlake.api.lakes import LakeSlug, Renaming
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import DisplayName, Slug
from elasticlake.metadata.hierarchy import Pond
from elasticlake.service.pages import PageRequest

router = resource("ponds")
PondSlug = Annotated[str, Path(examples=["pond1"], description="The pond's slug, without its lake's.")]


class NewPond(Body):
    model_config = ConfigDict(json_schema_extra=example(pond="pond1", name="documents"))

    pond: Slug
    name: DisplayName | None = None


class PondDocument(Document):
    model_config = ConfigDict(
        json_schema_extra=example(
            lake="lake1",
            pond="pond1",
            name="documents",
            createdAt="2026-01-02T03:04:05.678Z",
            buckets=1,
            objects=2,
            bytes=2097152,
        )
    )

    lake: str
    pond: str
    name: str
    created_at: Timestamp
    buckets: int
    objects: int
    bytes: int

    @classmethod
    def of(cls, pond: Pond) -> PondDocument:
        return cls(
            lake=pond.lake,
            pond=pond.slug,
            name=pond.name,
            created_at=timestamp(pond.created_at_ms),
            buckets=pond.buckets,
            objects=pond.objects,
            bytes=pond.size_bytes,
        )


@router.post(
    "/lakes/{lake}/ponds",
    status_code=201,
    summary="Create a pond",
    openapi_extra=may_answer("already-exists", "insufficient-storage"),
)
async def create_pond(call: Call, lake: LakeSlug, body: NewPond) -> PondDocument:
    """The display name is the slug unless `name` says otherwise; the payloads of webhooks carry it."""
    return PondDocument.of(await call.services.hierarchy.create_pond(call.token, lake, body.pond, body.name))


@router.get("/lakes/{lake}/ponds", summary="List a lake's ponds")
async def list_ponds(
    call: Call, lake: LakeSlug, page: Annotated[PageRequest, Depends(page_request)]
) -> DocumentPage[PondDocument]:
    """Those that the token reaches something of, by slug."""
    ponds = await call.services.hierarchy.list_ponds(call.token, lake, page)
    return DocumentPage(items=[PondDocument.of(pond) for pond in ponds.items], next_cursor=ponds.next_cursor)


@router.get("/lakes/{lake}/ponds/{pond}", summary="Get a pond")
async def get_pond(call: Call, lake: LakeSlug, pond: PondSlug) -> PondDocument:
    """With how much its buckets hold."""
    return PondDocument.of(await call.services.hierarchy.get_pond(call.token, lake, pond))


@router.patch("/lakes/{lake}/ponds/{pond}", summary="Rename a pond")
async def change_pond(call: Call, lake: LakeSlug, pond: PondSlug, body: Renaming) -> PondDocument:
    """Changes the display name; events carry the new one from then on. The slug stays."""
    return PondDocument.of(await call.services.hierarchy.rename_pond(call.token, lake, pond, body.name))


@router.delete(
    "/lakes/{lake}/ponds/{pond}",
    status_code=204,
    summary="Delete a pond",
    openapi_extra=may_answer("conflict", "not-empty"),
)
async def delete_pond(call: Call, lake: LakeSlug, pond: PondSlug) -> None:
    """409 while the pond has buckets, deleted buckets whose events are kept, or webhooks."""
    await call.services.hierarchy.delete_pond(call.token, lake, pond)
