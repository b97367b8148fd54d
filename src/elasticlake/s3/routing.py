"""The table of operations: which one a request asks for. Adding an operation is adding a row here, and its function."""

from __future__ import annotations

from typing import NamedTuple

from elasticlake.s3.errors import S3Error
from elasticlake.s3.operations import acl, buckets, copy, listing, multipart, notification, objects
from elasticlake.s3.operations.handler import Handler
from elasticlake.s3.request import S3Request


class Operation(NamedTuple):
    """An S3 operation: its name in S3's API, and what does it."""

    name: str
    handler: Handler


SERVICE, BUCKET, OBJECT = "service", "bucket", "object"

# (what the path names, method, sub-resource) → operation. The sub-resource is the query parameter that tells operations
# of one method apart; "" is the plain one; "copy" stands for the x-amz-copy-source header.
OPERATIONS: dict[tuple[str, str, str], Operation] = {
    (SERVICE, "GET", ""): Operation("ListBuckets", buckets.list_buckets),
    (BUCKET, "PUT", ""): Operation("CreateBucket", buckets.create_bucket),
    (BUCKET, "HEAD", ""): Operation("HeadBucket", buckets.head_bucket),
    (BUCKET, "DELETE", ""): Operation("DeleteBucket", buckets.delete_bucket),
    (BUCKET, "GET", "location"): Operation("GetBucketLocation", buckets.get_bucket_location),
    (BUCKET, "GET", "versioning"): Operation("GetBucketVersioning", buckets.get_bucket_versioning),
    (BUCKET, "GET", "acl"): Operation("GetBucketAcl", acl.get_bucket_acl),
    (BUCKET, "PUT", "acl"): Operation("PutBucketAcl", acl.put_bucket_acl),
    (BUCKET, "GET", "notification"): Operation(
        "GetBucketNotificationConfiguration", notification.get_bucket_notification_configuration
    ),
    (BUCKET, "PUT", "notification"): Operation(
        "PutBucketNotificationConfiguration", notification.put_bucket_notification_configuration
    ),
    (BUCKET, "GET", ""): Operation("ListObjects", listing.list_objects),
    (BUCKET, "GET", "list-type"): Operation("ListObjectsV2", listing.list_objects_v2),
    (BUCKET, "GET", "versions"): Operation("ListObjectVersions", listing.list_object_versions),
    (BUCKET, "GET", "uploads"): Operation("ListMultipartUploads", multipart.list_multipart_uploads),
    (BUCKET, "POST", "delete"): Operation("DeleteObjects", objects.delete_objects),
    (OBJECT, "PUT", ""): Operation("PutObject", objects.put_object),
    (OBJECT, "PUT", "copy"): Operation("CopyObject", copy.copy_object),
    (OBJECT, "GET", ""): Operation("GetObject", objects.get_object),
    (OBJECT, "HEAD", ""): Operation("HeadObject", objects.head_object),
    (OBJECT, "DELETE", ""): Operation("DeleteObject", objects.delete_object),
    (OBJECT, "GET", "acl"): Operation("GetObjectAcl", acl.get_object_acl),
    (OBJECT, "PUT", "acl"): Operation("PutObjectAcl", acl.put_object_acl),
    (OBJECT, "POST", "uploads"): Operation("CreateMultipartUpload", multipart.create_multipart_upload),
    (OBJECT, "PUT", "uploadId"): Operation("UploadPart", multipart.upload_part),
    (OBJECT, "PUT", "uploadId copy"): Operation("UploadPartCopy", copy.upload_part_copy),
    (OBJECT, "POST", "uploadId"): Operation("CompleteMultipartUpload", multipart.complete_multipart_upload),
    (OBJECT, "DELETE", "uploadId"): Operation("AbortMultipartUpload", multipart.abort_multipart_upload),
    (OBJECT, "GET", "uploadId"): Operation("ListParts", multipart.list_parts),
}

# Query parameters that choose an operation in S3: one that we lack must answer 501, never do something else.
_SUBRESOURCES = frozenset(
    {
        "accelerate",
        "acl",
        "analytics",
        "attributes",
        "cors",
        "delete",
        "encryption",
        "intelligent-tiering",
        "inventory",
        "legal-hold",
        "lifecycle",
        "list-type",
        "location",
        "logging",
        "metadataConfiguration",
        "metadataTable",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "renameObject",
        "replication",
        "requestPayment",
        "restore",
        "retention",
        "select",
        "session",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versioning",
        "versions",
        "website",
    }
)
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})


def route(request: S3Request) -> Operation:
    """The operation asked for; raises `S3Error` NotImplemented or MethodNotAllowed."""
    if request.method not in _METHODS:
        raise S3Error("MethodNotAllowed")
    level = SERVICE if request.bucket is None else BUCKET if request.key is None else OBJECT
    subresource = _subresource(request) if request.query else ""
    if level == OBJECT and request.method == "PUT" and "x-amz-copy-source" in request.headers:
        subresource = f"{subresource} copy".strip()
    if "partNumber" in request.query and request.method == "PUT" and "uploadId" not in request.query:
        # A part that lost its upload must not replace the whole object.
        raise S3Error("InvalidArgument", "This operation does not accept partNumber without uploadId")
    operation = OPERATIONS.get((level, request.method, subresource))
    if operation is not None:
        return operation
    if level == SERVICE or (not subresource and (level, request.method) != (BUCKET, "POST")):
        raise S3Error("MethodNotAllowed")
    raise S3Error("NotImplemented", f"{request.method} with {subresource or 'a form'} is not implemented.")


def _subresource(request: S3Request) -> str:
    found = sorted(name for name in request.query if name in _SUBRESOURCES)
    if not found or (found == ["list-type"] and request.query["list-type"] != "2"):
        return ""
    return " ".join(found)
