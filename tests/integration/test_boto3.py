"""boto3 against a real server: what applications do with it."""

from __future__ import annotations

import hashlib
import io
import random
import time
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from tests.integration.conftest import s3_client
from tests.integration.server import Server

pytestmark = pytest.mark.both_engines

MIB = 1024 * 1024
ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]


def noise(size_bytes: int) -> bytes:
    return random.Random(size_bytes).randbytes(size_bytes)


def refused(call: Any, **arguments: Any) -> tuple[str, int]:
    """The error code and status of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("size_bytes", [0, 1, 4096, 64 * 1024, 64 * 1024 + 1, 3 * MIB])
def test_put_and_get(s3: Any, bucket: str, size_bytes: int) -> None:
    body = noise(size_bytes)
    etag = f'"{hashlib.md5(body).hexdigest()}"'
    assert s3.put_object(Bucket=bucket, Key="dir/ä key+?.bin", Body=body)["ETag"] == etag
    got = s3.get_object(Bucket=bucket, Key="dir/ä key+?.bin")
    assert got["Body"].read() == body
    assert (got["ETag"], got["ContentLength"], got["ContentType"]) == (etag, size_bytes, "binary/octet-stream")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_checksums_are_checked_stored_and_returned(s3: Any, bucket: str, algorithm: str) -> None:
    field = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="a", Body=noise(100_000), ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    got = s3.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert got["Body"].read() == noise(100_000)  # botocore compares it with the header as it reads
    assert put[field] == head[field] == got[field]
    assert head["ChecksumType"] == "FULL_OBJECT"
    # The checksum of other bytes, in a body that does not match it.
    code, status = refused(s3.put_object, Bucket=bucket, Key="b", Body=b"other", **{field: put[field]})
    assert (code, status) == ("BadDigest", 400)
    assert refused(s3.head_object, Bucket=bucket, Key="b") == ("404", 404)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_multipart_checksums(s3: Any, bucket: str, algorithm: str) -> None:
    field = f"Checksum{algorithm}"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ChecksumAlgorithm=algorithm)
    at = {"Bucket": bucket, "Key": "m", "UploadId": upload["UploadId"]}
    bodies = [noise(5 * MIB), b"the end"]
    parts = []
    for number, body in enumerate(bodies, start=1):
        part = s3.upload_part(**at, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        parts.append({"PartNumber": number, "ETag": part["ETag"], field: part[field]})
    listed = s3.list_parts(**at)["Parts"]
    assert [part[field] for part in listed] == [part[field] for part in parts]
    done = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})
    got = s3.get_object(Bucket=bucket, Key="m", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(bodies)
    assert got[field] == done[field]
    is_composite = algorithm != "CRC64NVME"
    assert got["ChecksumType"] == ("COMPOSITE" if is_composite else "FULL_OBJECT")
    assert got[field].endswith("-2") == is_composite


def test_content_md5_is_checked(s3: Any, bucket: str) -> None:
    wrong = "1B2M2Y8AsgTpgAmY7PhCfg=="  # of no bytes
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"x", ContentMD5=wrong) == ("BadDigest", 400)
    assert s3.put_object(Bucket=bucket, Key="a", Body=b"", ContentMD5=wrong)["ETag"]


def test_the_transfer_manager_uploads_in_parts_and_downloads_in_ranges(s3: Any, bucket: str) -> None:
    body = noise(20 * MIB + 13)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    extra = {"ContentType": "video/mp4", "Metadata": {"title": "twenty"}}
    s3.upload_fileobj(io.BytesIO(body), bucket, "large", ExtraArgs=extra, Config=config)
    head = s3.head_object(Bucket=bucket, Key="large")
    assert (head["ContentLength"], head["ContentType"]) == (len(body), "video/mp4")
    assert head["Metadata"] == {"title": "twenty"}
    assert head["ETag"].endswith('-5"')
    downloaded = io.BytesIO()
    s3.download_fileobj(bucket, "large", downloaded, Config=config)
    assert downloaded.getvalue() == body
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copied", Config=config)
    assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == body
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_presigned_urls(server: Server, bucket: str, region: str) -> None:
    """For us-east-1 boto3 makes links of signature version 2 to this day, for any other region of version 4."""
    s3 = s3_client(server, region=region)
    at = {"Bucket": bucket, "Key": "by link/ü.txt"}
    put = s3.generate_presigned_url("put_object", {**at, "ContentType": "text/plain"}, ExpiresIn=60)
    request = urllib.request.Request(put, b"linked", {"Content-Type": "text/plain"}, method="PUT")
    assert urllib.request.urlopen(request).status == 200
    get = s3.generate_presigned_url("get_object", {**at, "ResponseContentType": "text/html"}, ExpiresIn=60)
    with urllib.request.urlopen(get) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"linked", "text/html")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(get.replace("by%20link", "by%20hook"))
    assert caught.value.code == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in caught.value.read()


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_a_link_carries_its_own_headers(server: Server, s3: Any, bucket: str, region: str) -> None:
    """What boto3 moves into a link's query counts as if it had been sent in headers."""
    maker = s3_client(server, region=region)
    s3.put_object(Bucket=bucket, Key="source", Body=b"linked")
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/source"}
    put = {"Bucket": bucket, "Key": "put", "ContentType": "text/csv", "ACL": "public-read", "Metadata": {"a": "1"}}
    links = [maker.generate_presigned_url("copy_object", copy), maker.generate_presigned_url("put_object", put)]
    sent: list[dict[str, str]] = [{}, {}]
    if region != "us-east-1":
        # botocore's version 4 wants them sent, and its URL says so.
        sent[0] = {"x-amz-copy-source": f"{bucket}/source"}
        sent[1] = {"x-amz-acl": "public-read", "x-amz-meta-a": "1", "content-type": "text/csv"}
    assert [follow(link, headers=headers)[0] for link, headers in zip(links, sent, strict=True)] == [200, 200]
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"linked"
    head = s3.head_object(Bucket=bucket, Key="put")
    assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"a": "1"})
    assert len(s3.get_object_acl(Bucket=bucket, Key="put")["Grants"]) == 2


def test_a_link_s_digest_is_checked(server: Server, s3: Any, bucket: str) -> None:
    md5 = b64encode(hashlib.md5(b"right").digest()).decode()
    place = {"Bucket": bucket, "Key": "checked", "ContentMD5": md5}
    link = s3_client(server, region="us-east-1").generate_presigned_url("put_object", place)
    status, answer = follow(link, b"wrong")
    assert status == 400
    assert b"<Code>BadDigest</Code>" in answer
    assert follow(link, b"right")[0] == 200
    assert s3.get_object(Bucket=bucket, Key="checked")["Body"].read() == b"right"


def follow(link: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """PUT what the link is for, with no header but these: urllib.request would add a content type of its own."""
    url = urlsplit(link)
    with closing(HTTPConnection(url.netloc)) as connection:
        connection.request("PUT", f"{url.path}?{url.query}", body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_an_expired_link_is_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="brief", Body=b"x")
    link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "brief"}, ExpiresIn=1)
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(link)
    assert caught.value.code == 403
    assert b"<Message>Request has expired</Message>" in caught.value.read()


def test_conditional_writes(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")["ETag"]
    lost = refused(s3.put_object, Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*")
    assert lost == ("PreconditionFailed", 412)
    assert s3.put_object(Bucket=bucket, Key="once", Body=b"3", IfMatch=etag)["ETag"] != etag
    lost = refused(s3.put_object, Bucket=bucket, Key="once", Body=b"4", IfMatch=etag)
    assert lost == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="once")["Body"].read() == b"3"
    assert refused(s3.put_object, Bucket=bucket, Key="none", Body=b"5", IfMatch=etag) == ("NoSuchKey", 404)


def test_conditional_reads(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    assert refused(s3.get_object, Bucket=bucket, Key="a", IfNoneMatch=etag) == ("304", 304)
    assert refused(s3.get_object, Bucket=bucket, Key="a", IfMatch='"0"') == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="a", IfMatch=etag)["Body"].read() == b"1"


@pytest.mark.parametrize("size_bytes", [1000, 200_000])
def test_ranges(s3: Any, bucket: str, size_bytes: int) -> None:
    body = noise(size_bytes)
    s3.put_object(Bucket=bucket, Key="r", Body=body)
    wanted = {"bytes=0-0": body[:1], "bytes=10-99": body[10:100], "bytes=900-": body[900:], "bytes=-7": body[-7:]}
    for header, expected in wanted.items():
        got = s3.get_object(Bucket=bucket, Key="r", Range=header)
        assert got["Body"].read() == expected
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert refused(s3.get_object, Bucket=bucket, Key="r", Range=f"bytes={size_bytes}-") == ("InvalidRange", 416)


def test_list_paginators(s3: Any, bucket: str) -> None:
    keys = sorted([f"a/{n:03}" for n in range(25)] + [f"b {n}+ü" for n in range(5)], key=str.encode)
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for name in ("list_objects", "list_objects_v2"):
        paginator = s3.get_paginator(name)
        pages = list(paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 7}))
        assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
        assert len(pages) == 5
        pages = list(paginator.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}))
        assert [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])] == ["a/"]
        assert [one["Key"] for page in pages for one in page.get("Contents", [])] == keys[25:]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="a/", StartAfter="a/022", FetchOwner=True)
    assert [entry["Key"] for entry in found["Contents"]] == ["a/023", "a/024"]
    assert found["Contents"][0]["Owner"]["ID"]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert {one["Key"] for one in deleted["Deleted"]} == set(keys)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_metadata_and_system_headers(s3: Any, bucket: str) -> None:
    given = {
        "ContentType": "text/html; charset=utf-8",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="x.html"',
        "ContentEncoding": "identity",
        "ContentLanguage": "de",
        "Metadata": {"color": "blue", "empty": ""},
    }
    s3.put_object(Bucket=bucket, Key="m", Body=b"<p>", **given)
    head = s3.head_object(Bucket=bucket, Key="m")
    assert {name: head[name] for name in given} == given
    s3.copy_object(Bucket=bucket, Key="kept", CopySource=f"{bucket}/m")
    assert s3.head_object(Bucket=bucket, Key="kept")["Metadata"] == given["Metadata"]
    source = {"Bucket": bucket, "Key": "m"}
    s3.copy_object(Bucket=bucket, Key="m", CopySource=source, MetadataDirective="REPLACE", Metadata={"color": "red"})
    assert s3.head_object(Bucket=bucket, Key="m")["Metadata"] == {"color": "red"}


def test_anyone_reads_what_is_public(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="open.txt", Body=b"for all", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="mine.txt", Body=b"for me")
    with urllib.request.urlopen(f"{server.url}/{bucket}/open.txt") as answer:
        assert answer.read() == b"for all"
    for url in (f"{server.url}/{bucket}/mine.txt", f"{server.url}/{bucket}"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url)
        assert caught.value.code == 403
        assert b"<Code>AccessDenied</Code>" in caught.value.read()


def test_the_buckets_themselves(s3: Any, bucket_name: str) -> None:
    s3.create_bucket(Bucket=bucket_name)
    assert bucket_name in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket_name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    s3.put_object(Bucket=bucket_name, Key="a", Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket_name) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket_name, Key="a")
    s3.delete_bucket(Bucket=bucket_name)
    assert refused(s3.head_bucket, Bucket=bucket_name) == ("404", 404)


def test_an_operation_that_is_not_there_yet_says_so(s3: Any, bucket: str) -> None:
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == ("NotImplemented", 501)


def test_wrong_credentials(server: Server, bucket: str) -> None:
    assert refused(s3_client(server, secret="wrong").list_objects_v2, Bucket=bucket) == ("SignatureDoesNotMatch", 403)
    assert refused(s3_client(server, "NOSUCHKEY").list_objects_v2, Bucket=bucket) == ("InvalidAccessKeyId", 403)
