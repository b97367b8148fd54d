"""Version 2 presigned URLs, against botocore's own signer."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.config import Config

from elasticlake.s3 import sigv2
from elasticlake.s3.credentials import SignatureError
from elasticlake.s3.hoisted import with_hoisted

SECRET = "a-secret-for-version-2"
NOW_MS = 1_800_000_000_000


def presign(operation: str, **parameters: Any) -> tuple[bytes, dict[str, str]]:
    """The path and parameters of botocore's presigned URL, made to expire long after NOW_MS."""
    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9000",
        aws_access_key_id="AKID",
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(signature_version="s3", s3={"addressing_style": "path"}),
    )
    url = urlsplit(client.generate_presigned_url(operation, Params=parameters, ExpiresIn=7 * 86400 * 365))
    return url.path.encode(), dict(parse_qsl(url.query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("operation", "method", "parameters"),
    [
        ("get_object", "GET", {"Key": "a b/ü+c.txt"}),
        ("get_object", "GET", {"Key": "k", "ResponseContentType": "text/plain", "ResponseCacheControl": "no cache"}),
        ("put_object", "PUT", {"Key": "k", "ACL": "public-read", "Metadata": {"color": "red"}}),
        ("upload_part", "PUT", {"Key": "k", "UploadId": "u-1", "PartNumber": 3}),
        ("delete_object", "DELETE", {"Key": "k"}),
        ("list_multipart_uploads", "GET", {}),
    ],
)
def test_accepts_what_botocore_presigns(operation: str, method: str, parameters: dict[str, Any]) -> None:
    path, query = presign(operation, Bucket="bucket", **parameters)
    assert sigv2.is_presigned(query)
    verify(method, path, query)


def test_the_content_type_that_was_signed_must_be_sent() -> None:
    path, query = presign("put_object", Bucket="bucket", Key="k", ContentType="text/csv")
    verify("PUT", path, query, {"content-type": "text/csv"})
    verify("PUT", path, query)
    refuses("SignatureDoesNotMatch", "PUT", path, query, {"content-type": "text/plain"})


def test_refuses_another_key_method_path_or_secret() -> None:
    path, query = presign("get_object", Bucket="bucket", Key="k")
    refuses("SignatureDoesNotMatch", "PUT", path, query)
    refuses("SignatureDoesNotMatch", "GET", b"/bucket/other", query)
    refuses("SignatureDoesNotMatch", "GET", path, query | {"versionId": "null"})
    refuses("SignatureDoesNotMatch", "GET", path, query | {"Signature": "AAAA"})
    with pytest.raises(SignatureError):
        sigv2.verify("another", "GET", path, query, {}, NOW_MS)


def test_refuses_a_signed_header_that_was_changed_moved_or_melted_into_another() -> None:
    path, query = presign("put_object", Bucket="bucket", Key="k", ACL="private", Metadata={"a": "1"})
    verify("PUT", path, query)
    moved = {name: value for name, value in query.items() if name != "x-amz-acl"}
    verify("PUT", path, moved, {"x-amz-acl": "private"})
    refuses("SignatureDoesNotMatch", "PUT", path, moved, {"x-amz-acl": "public-read"})
    refuses("SignatureDoesNotMatch", "PUT", path, moved | {"X-Amz-Acl": "public-read"})
    refuses("SignatureDoesNotMatch", "PUT", path, query | {"X-Amz-Acl": "public-read"})
    refuses("SignatureDoesNotMatch", "PUT", path, moved)
    without = {name: value for name, value in moved.items() if name != "x-amz-meta-a"}
    refuses("SignatureDoesNotMatch", "PUT", path, without | {"x-amz-acl": "private\nx-amz-meta-a:1"})
    refuses("SignatureDoesNotMatch", "PUT", path, without | {"x-amz-acl:private\nx-amz-meta-a": "1"})


def test_refuses_an_expired_or_endless_url() -> None:
    path, query = presign("get_object", Bucket="bucket", Key="k")
    refuses("AccessDenied", "GET", path, query | {"Expires": str(NOW_MS // 1000 - 1)})
    refuses("AccessDenied", "GET", path, query | {"Expires": "never"})
    refuses("AccessDenied", "GET", path, {name: value for name, value in query.items() if name != "Expires"})


def verify(method: str, path: bytes, query: dict[str, str], headers: dict[str, str] | None = None) -> None:
    sigv2.verify(SECRET, method, path, query, with_hoisted(headers or {}, query), NOW_MS)


def refuses(code: str, method: str, path: bytes, query: dict[str, str], headers: dict[str, str] | None = None) -> None:
    with pytest.raises(SignatureError) as refused:
        verify(method, path, query, headers)
    assert refused.value.code == code
