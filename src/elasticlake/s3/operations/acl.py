"""GetBucketAcl, PutBucketAcl, GetObjectAcl, PutObjectAcl: the canned ACLs `private` and `public-read`."""

from __future__ import annotations

from typing import Any, cast

from elasticlake.model.accounts import canonical_id
from elasticlake.model.objects import Acl, Bucket
from elasticlake.s3 import xml
from elasticlake.s3.document import read_document
from elasticlake.s3.errors import S3Error
from elasticlake.s3.headers import read_acl
from elasticlake.s3.operations.buckets import owner
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request
from elasticlake.s3.responses import Response, xml_response
from elasticlake.service.access import may

_ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"


async def get_bucket_acl(services: Services, request: S3Request) -> Response:
    bucket = await services.buckets.get(request.context, request.bucket_name, "admin")
    return await _acl_document(services, bucket.account_id, bucket.acl)


async def put_bucket_acl(services: Services, request: S3Request) -> Response:
    wanted = await _read_wanted(request)
    bucket = await services.buckets.get(request.context, request.bucket_name, "admin")
    await services.buckets.set_acl(request.context, request.bucket_name, _canned(wanted, bucket))
    return Response()


async def get_object_acl(services: Services, request: S3Request) -> Response:
    found = await services.objects.find(request.caller, request.bucket_name, request.key_bytes)
    if not may(request.caller, found.bucket, "admin", request.key_bytes):
        raise S3Error("AccessDenied")
    return await _acl_document(services, found.bucket.account_id, found.version.acl)


async def put_object_acl(services: Services, request: S3Request) -> Response:
    wanted = await _read_wanted(request)
    bucket = await services.buckets.get(request.context, request.bucket_name, "admin", request.key_bytes)
    acl = _canned(wanted, bucket)
    await services.objects.set_acl(request.context, request.bucket_name, request.key_bytes, acl)
    return Response()


async def _read_wanted(request: S3Request) -> Acl | Any:
    """The canned ACL that the header names, or the document's root element."""
    request.require_signer()
    body = await read_document(request)
    acl = read_acl(request)
    if acl is not None:
        return acl
    if not body.strip():
        raise S3Error("MissingSecurityHeader", "Your request was missing a required header: x-amz-acl")
    try:
        return xml.parse(body, "AccessControlPolicy")
    except S3Error:
        raise S3Error("MalformedACLError") from None


def _canned(wanted: Acl | Any, bucket: Bucket) -> Acl:
    """The canned ACL that a policy document amounts to: the owner's full control, and perhaps everyone's READ.

    Raises `S3Error` NotImplemented for any other: a grant left out would be taken for granted.
    """
    if isinstance(wanted, str):
        return cast(Acl, wanted)
    grants = {_grant(node) for node in wanted.iterfind("AccessControlList/Grant")}
    owners = ("FULL_CONTROL", canonical_id(bucket.account_id), None)
    everyones = ("READ", None, _ALL_USERS)
    if grants == {owners}:
        return "private"
    if grants == {owners, everyones}:
        return "public-read"
    raise S3Error("NotImplemented", "Only the canned ACLs private and public-read are implemented.")


def _grant(node: Any) -> tuple[str | None, str | None, str | None]:
    return node.findtext("Permission"), node.findtext("Grantee/ID"), node.findtext("Grantee/URI")


async def _acl_document(services: Services, account_id: str, acl: Acl) -> Response:
    display_name = await services.display_name(account_id)
    full = [xml.grantee(canonical_id(account_id), display_name), xml.element("Permission", "FULL_CONTROL")]
    grants = [xml.wrap("Grant", full)]
    if acl == "public-read":
        grants.insert(0, xml.wrap("Grant", [xml.group_grantee(_ALL_USERS), xml.element("Permission", "READ")]))
    content = [await owner(services, account_id), xml.wrap("AccessControlList", grants)]
    return xml_response(xml.document("AccessControlPolicy", content))
