"""Buckets."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query
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
from elasticlake.api.values import AccountName, BucketText, PondName
from elasticlake.model.objects import Acl, Bucket
from elasticlake.service.measures import Measure
from elasticlake.service.pages import PageRequest
from elasticlake.service.reach import account_for

router = resource("buckets")
BucketPath = Annotated[str, Path(examples=["lake1--pond1--my-bucket"], description="The bucket's S3 name.")]
InLake = Annotated[str | None, Query(examples=["lake1"], description="Only this lake's.")]
InPond = Annotated[PondName | None, Query(examples=["lake1--pond1"], description="Only this pond's.")]


class NewBucket(Body):
    model_config = ConfigDict(json_schema_extra=example(bucket="lake1--pond1--my-bucket"))

    bucket: BucketText
    account: AccountName | None = None
    acl: Acl = "private"


class BucketChange(Body):
    model_config = ConfigDict(json_schema_extra=example(acl="public-read"))

    acl: Acl


class BucketDocument(Document):
    model_config = ConfigDict(
        json_schema_extra=example(
            bucket="lake1--pond1--my-bucket",
            lake="lake1",
            pond="pond1",
            account="root",
            acl="private",
            createdAt="2026-01-02T03:04:05.678Z",
            sequence=3,
            objects=2,
            bytes=2097152,
        )
    )

    bucket: str
    lake: str
    pond: str
    account: str
    acl: Acl
    created_at: Timestamp
    sequence: int
    objects: int
    bytes: int

    @classmethod
    def of(cls, bucket: Bucket) -> BucketDocument:
        return cls(
            bucket=bucket.name.name,
            lake=bucket.name.lake,
            pond=bucket.name.pond,
            account=bucket.account_id,
            acl=bucket.acl,
            created_at=timestamp(bucket.created_at_ms),
            sequence=bucket.sequence,
            objects=bucket.objects,
            bytes=bucket.size_bytes,
        )


class MeasureDocument(Document):
    """How much lies under a prefix. `isMore` where there are others beyond the 10,000 that are counted."""

    model_config = ConfigDict(json_schema_extra=example(objects=2, bytes=2097152, isMore=False))

    objects: int
    bytes: int
    is_more: bool

    @classmethod
    def of(cls, measure: Measure) -> MeasureDocument:
        return cls(objects=measure.objects, bytes=measure.size_bytes, is_more=measure.is_more)


@router.post(
    "/buckets",
    status_code=201,
    summary="Create a bucket",
    openapi_extra=may_answer(
        "invalid-bucket-name",
        "bucket-already-exists",
        "bucket-already-owned-by-you",
        "no-such-account",
        "insufficient-storage",
    ),
)
async def create_bucket(call: Call, body: NewBucket) -> BucketDocument:
    """A missing lake or pond is created with its slug as display name. The owner is `account`, else the token's only
    account, else root."""
    account_id = account_for(call.token, body.account)
    made = await call.services.buckets.create(call.on_behalf_of(account_id), body.bucket, acl=body.acl)
    return BucketDocument.of(made)


@router.get("/buckets", summary="List buckets", openapi_extra=may_answer("no-such-lake", "no-such-pond"))
async def list_buckets(
    call: Call, page: Annotated[PageRequest, Depends(page_request)], lake: InLake = None, pond: InPond = None
) -> DocumentPage[BucketDocument]:
    """Those that the token reaches, by name."""
    found = await call.services.hierarchy.list_buckets(call.token, page, lake=lake, pond=pond)
    return DocumentPage(items=[BucketDocument.of(bucket) for bucket in found.items], next_cursor=found.next_cursor)


@router.get("/buckets/{bucket}", summary="Get a bucket")
async def get_bucket(call: Call, bucket: BucketPath) -> BucketDocument:
    """With how much it holds, and the sequence of its last event."""
    return BucketDocument.of(await call.services.hierarchy.get_bucket(call.token, bucket))


@router.get("/buckets/{bucket}/size", summary="Count the objects under a prefix")
async def measure_bucket(
    call: Call,
    bucket: BucketPath,
    prefix: Annotated[str, Query(examples=["uploads/"], description="Only keys that begin so.")] = "",
) -> MeasureDocument:
    """The first 10,000 are counted; what the whole bucket holds is kept with it, and costs nothing to ask."""
    return MeasureDocument.of(await call.services.measures.of_prefix(call.token, bucket, prefix.encode()))


@router.patch("/buckets/{bucket}", summary="Change a bucket's ACL")
async def change_bucket(call: Call, bucket: BucketPath, body: BucketChange) -> BucketDocument:
    """`public-read` lets anyone list the bucket."""
    owner = (await call.services.hierarchy.get_bucket(call.token, bucket, "admin")).account_id
    await call.services.buckets.set_acl(call.on_behalf_of(owner), bucket, body.acl)
    return BucketDocument.of(await call.services.hierarchy.get_bucket(call.token, bucket, "admin"))


@router.delete(
    "/buckets/{bucket}", status_code=204, summary="Delete a bucket", openapi_extra=may_answer("bucket-not-empty")
)
async def delete_bucket(call: Call, bucket: BucketPath) -> None:
    """409 while the bucket has objects. Its log stays until it is delivered or expired."""
    owner = (await call.services.hierarchy.get_bucket(call.token, bucket, "admin")).account_id
    await call.services.buckets.delete(call.on_behalf_of(owner), bucket)
