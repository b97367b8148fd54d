"""The table of operations, and that nothing outside it is taken for something in it."""

from __future__ import annotations

import pytest
from tests.unit.s3.requests import request

from elasticlake.s3 import sigv2
from elasticlake.s3.errors import S3Error
from elasticlake.s3.routing import OPERATIONS, route

COPY = [("x-amz-copy-source", "/bucket/source")]


@pytest.mark.parametrize(
    ("method", "target", "headers", "name"),
    [
        ("GET", "/", [], "ListBuckets"),
        ("GET", "/?x-id=ListBuckets", [], "ListBuckets"),
        ("PUT", "/b", [], "CreateBucket"),
        ("HEAD", "/b", [], "HeadBucket"),
        ("DELETE", "/b", [], "DeleteBucket"),
        ("GET", "/b?location", [], "GetBucketLocation"),
        ("GET", "/b?versioning", [], "GetBucketVersioning"),
        ("GET", "/b?acl", [], "GetBucketAcl"),
        ("PUT", "/b?acl", [], "PutBucketAcl"),
        ("GET", "/b?notification", [], "GetBucketNotificationConfiguration"),
        ("PUT", "/b?notification", [], "PutBucketNotificationConfiguration"),
        ("GET", "/b", [], "ListObjects"),
        ("GET", "/b?prefix=acl", [], "ListObjects"),
        ("GET", "/b?list-type=1", [], "ListObjects"),
        ("GET", "/b?list-type=2&prefix=x", [], "ListObjectsV2"),
        ("GET", "/b?versions", [], "ListObjectVersions"),
        ("GET", "/b?uploads", [], "ListMultipartUploads"),
        ("POST", "/b?delete", [], "DeleteObjects"),
        ("PUT", "/b/k", [], "PutObject"),
        ("PUT", "/b/k?x-id=PutObject", [], "PutObject"),
        ("PUT", "/b/k", COPY, "CopyObject"),
        ("GET", "/b/k", [], "GetObject"),
        ("GET", "/b/k?partNumber=1", [], "GetObject"),
        ("GET", "/b/k?response-content-type=text/plain", [], "GetObject"),
        ("HEAD", "/b/k", [], "HeadObject"),
        ("DELETE", "/b/k", [], "DeleteObject"),
        ("GET", "/b/k?acl", [], "GetObjectAcl"),
        ("PUT", "/b/k?acl", [], "PutObjectAcl"),
        ("POST", "/b/k?uploads", [], "CreateMultipartUpload"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", [], "UploadPart"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", COPY, "UploadPartCopy"),
        ("POST", "/b/k?uploadId=u", [], "CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=u", [], "AbortMultipartUpload"),
        ("GET", "/b/k?uploadId=u", [], "ListParts"),
    ],
)
def test_operations(method: str, target: str, headers: list[tuple[str, str]], name: str) -> None:
    assert route(request(method, target, headers)).name == name


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len({operation.name for operation in OPERATIONS.values()}) == len(OPERATIONS)


def test_no_operation_can_be_changed_behind_a_version_2_signature() -> None:
    """That signature covers the parameters it knows alone: any other that chose an operation could be added."""
    choosing = {name for _, _, names in OPERATIONS for name in names.split()} - {"copy", "list-type"}
    assert choosing <= sigv2.SIGNED_PARAMETERS


@pytest.mark.parametrize(
    ("method", "target", "code"),
    [
        ("PATCH", "/b/k", "MethodNotAllowed"),
        ("POST", "/", "MethodNotAllowed"),
        ("POST", "/b/k", "MethodNotAllowed"),
        ("POST", "/b", "NotImplemented"),
        ("GET", "/b?policy", "NotImplemented"),
        ("PUT", "/b?tagging", "NotImplemented"),
        ("DELETE", "/b?lifecycle", "NotImplemented"),
        ("DELETE", "/b/k?tagging", "NotImplemented"),
        ("GET", "/b/k?torrent", "NotImplemented"),
        ("GET", "/b?uploads&acl", "NotImplemented"),
        ("PUT", "/b/k?tagging&acl", "NotImplemented"),
        ("DELETE", "/b?acl", "NotImplemented"),
        ("PUT", "/b/k?acl&uploadId=u", "NotImplemented"),
        ("PUT", "/b/k?partNumber=1", "InvalidArgument"),
    ],
)
def test_what_is_no_operation(method: str, target: str, code: str) -> None:
    with pytest.raises(S3Error) as caught:
        route(request(method, target))
    assert caught.value.code == code
