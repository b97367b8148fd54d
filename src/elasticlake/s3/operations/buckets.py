"""ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation, GetBucketVersioning."""

from __future__ import annotations

from elasticlake.clock import rfc3339_milliseconds
from elasticlake.errors import BucketAlreadyOwnedByYou
from elasticlake.model.accounts import canonical_id
from elasticlake.s3 import xml
from elasticlake.s3.document import read_document
from elasticlake.s3.errors import S3Error
from elasticlake.s3.headers import read_acl
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request
from elasticlake.s3.responses import Response, no_content, xml_response

DEFAULT_REGION = "us-east-1"


async def owner(services: Services, account_id: str, name: str = "Owner") -> str:
    """An account as S3's XML names it."""
    display_name = await services.display_name(account_id)
    return xml.wrap(name, [xml.element("ID", canonical_id(account_id)), xml.element("DisplayName", display_name)])


async def list_buckets(services: Services, request: S3Request) -> Response:
    limit = request.number("max-buckets", 10_000, 10_000)
    prefix, after = request.query.get("prefix", ""), request.query.get("continuation-token", "")
    found = await services.buckets.list_page(request.caller, after, limit + 1, prefix)
    page = found[:limit]
    rows = (
        xml.wrap(
            "Bucket",
            [
                xml.element("Name", bucket.name.name),
                xml.element("CreationDate", rfc3339_milliseconds(bucket.created_at_ms)),
                xml.element("BucketRegion", DEFAULT_REGION),
            ],
        )
        for bucket in page
    )
    content = [await owner(services, request.caller.account_id or ""), xml.wrap("Buckets", rows)]
    if len(found) > limit and page:
        content.append(xml.element("ContinuationToken", page[-1].name.name))
    if prefix:
        content.append(xml.element("Prefix", prefix))
    return xml_response(xml.document("ListAllMyBucketsResult", content))


async def create_bucket(services: Services, request: S3Request) -> Response:
    request.require_signer()
    body = await read_document(request)
    if body.strip():
        xml.parse(body, "CreateBucketConfiguration")
    if request.headers.get("x-amz-bucket-object-lock-enabled", "false").lower() == "true":
        raise S3Error("NotImplemented", "Object Lock is not implemented.")
    acl = read_acl(request) or "private"
    try:
        await services.buckets.create(request.context, request.bucket_name, acl=acl)
    except BucketAlreadyOwnedByYou:
        # As S3 does in us-east-1, which we say we are; but a bucket that is otherwise than asked for is no success.
        bucket = await services.buckets.get(request.context, request.bucket_name, "admin")
        if bucket.acl != acl:
            raise
    return Response(200, [(b"location", f"/{request.bucket_name}".encode())])


async def head_bucket(services: Services, request: S3Request) -> Response:
    await services.buckets.get(request.context, request.bucket_name, "list")
    return Response(200, [(b"x-amz-bucket-region", DEFAULT_REGION.encode())])


async def delete_bucket(services: Services, request: S3Request) -> Response:
    await services.buckets.delete(request.context, request.bucket_name)
    return no_content()


async def get_bucket_location(services: Services, request: S3Request) -> Response:
    """us-east-1, which S3 writes as an empty constraint."""
    await services.buckets.get(request.context, request.bucket_name, "list")
    return xml_response(xml.document("LocationConstraint", []))


async def get_bucket_versioning(services: Services, request: S3Request) -> Response:
    """Versioning was never enabled, which S3 writes as an empty configuration."""
    await services.buckets.get(request.context, request.bucket_name, "admin")
    return xml_response(xml.document("VersioningConfiguration", []))
