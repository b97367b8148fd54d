"""Objects through boto3 and the wire: conditions, ranges, headers, ACLs, copies, batch deletes, chunked bodies."""

from __future__ import annotations

import hashlib
import time
import zlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conformance.conftest import DOMAIN, Store
from tests.conformance.s3.wire import Reply, Wire, read_reply
from tests.integration.server import ACCESS_KEY, SECRET_KEY

from elasticlake.model.accounts import canonical_id
from elasticlake.s3 import sigv4

pytestmark = pytest.mark.both_engines

BODY = b"0123456789"
ETAG = f'"{hashlib.md5(BODY).hexdigest()}"'
BEFORE = datetime.now(UTC) - timedelta(days=1)
AFTER = datetime.now(UTC) + timedelta(days=1)
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"


def refused(call: Any, **arguments: Any) -> tuple[str, int]:
    """The error code and status of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def place(s3: Any, bucket: str) -> dict[str, str]:
    """An object of ten bytes."""
    place = {"Bucket": bucket, "Key": "key"}
    s3.put_object(**place, Body=BODY, CacheControl="max-age=60")
    return place


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"IfMatch": ETAG}, 200),
        ({"IfMatch": "*"}, 200),
        ({"IfMatch": '"0"'}, 412),
        ({"IfNoneMatch": '"0"'}, 200),
        ({"IfNoneMatch": ETAG}, 304),
        ({"IfModifiedSince": BEFORE}, 200),
        ({"IfModifiedSince": AFTER}, 304),
        ({"IfUnmodifiedSince": AFTER}, 200),
        ({"IfUnmodifiedSince": BEFORE}, 412),
        ({"IfMatch": ETAG, "IfUnmodifiedSince": BEFORE}, 200),
        ({"IfNoneMatch": ETAG, "IfModifiedSince": BEFORE}, 304),
    ],
)
def test_conditional_reads(s3: Any, place: dict[str, str], conditions: dict[str, Any], status: int) -> None:
    for call in (s3.get_object, s3.head_object):
        if status == 200:
            assert call(**place, **conditions)["ETag"] == ETAG
        else:
            assert refused(call, **place, **conditions)[1] == status


def test_what_was_not_modified_still_has_its_headers(wire: Wire, place: dict[str, str]) -> None:
    reply = wire.send("GET", f"/{place['Bucket']}/key", headers={"if-none-match": ETAG})
    assert (reply.status, reply.body) == (304, b"")
    assert (reply.headers["etag"], reply.headers["cache-control"]) == (ETAG, "max-age=60")
    assert "last-modified" in reply.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": "*"}, 412),
        ({"if-none-match": ETAG}, 412),
        ({"if-none-match": '"0"'}, 200),
        ({"if-match": ETAG}, 200),
        ({"if-match": '"0"'}, 412),
        ({"if-match": ""}, 412),
        ({"if-unmodified-since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 412),
        ({"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),
    ],
)
def test_conditional_writes(
    wire: Wire, store: Store, place: dict[str, str], headers: dict[str, str], status: int
) -> None:
    before = store.state()
    reply = wire.send("PUT", f"/{place['Bucket']}/key", b"new", headers=headers)
    assert reply.status == status
    assert (store.state() == before) == (status == 412)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("bytes=0-0", (b"0", "bytes 0-0/10")),
        ("bytes=3-", (b"3456789", "bytes 3-9/10")),
        ("bytes=-4", (b"6789", "bytes 6-9/10")),
        ("bytes=8-100", (b"89", "bytes 8-9/10")),
        ("bytes=0-1,4-5", (BODY, None)),
        ("nonsense", (BODY, None)),
    ],
)
def test_ranges(s3: Any, place: dict[str, str], chosen: str, expected: tuple[bytes, str | None]) -> None:
    got = s3.get_object(**place, Range=chosen)
    assert (got["Body"].read(), got.get("ContentRange")) == expected
    assert got["ResponseMetadata"]["HTTPStatusCode"] == (206 if expected[1] else 200)
    assert s3.head_object(**place, Range=chosen)["ContentLength"] == len(expected[0])


@pytest.mark.parametrize(
    ("if_range", "status"),
    [(ETAG, 206), (f"W/{ETAG}", 200), ('"another"', 200), ("Sun, 06 Nov 1994 08:49:37 GMT", 200), ("the date", 206)],
)
def test_a_range_of_the_object_that_was_begun(
    wire: Wire, s3: Any, place: dict[str, str], if_range: str, status: int
) -> None:
    if if_range == "the date":
        if_range = s3.head_object(**place)["ResponseMetadata"]["HTTPHeaders"]["last-modified"]
    path = f"/{place['Bucket']}/{place['Key']}"
    reply = wire.send("GET", path, headers={"range": "bytes=2-3", "if-range": if_range})
    assert (reply.status, reply.body) == (status, BODY[2:4] if status == 206 else BODY)


def test_an_object_is_no_page_of_the_dashboard_s(wire: Wire, place: dict[str, str]) -> None:
    for method in ("GET", "HEAD"):
        headers = wire.send(method, f"/{place['Bucket']}/{place['Key']}").headers
        assert headers["content-security-policy"] == "sandbox"
        assert headers["x-content-type-options"] == "nosniff"


def hoisted(wire: Wire, path: str, parameters: list[tuple[str, str]], body: bytes = b"", headers: str = "") -> Reply:
    """The answer to a presigned PUT of version 4 whose query has headers in it, as SDKs other than boto3 make them."""
    now_ms = round(time.time() * 1000)
    query = sigv4.presign("PUT", wire.host, path.encode(), parameters, ACCESS_KEY, SECRET_KEY, "us-east-1", 60, now_ms)
    head = f"PUT {path}?{query} HTTP/1.1\r\nhost: {wire.host}\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
    return wire.exchange(head.encode() + body)


def test_headers_in_the_query_of_a_presigned_url(wire: Wire, s3: Any, place: dict[str, str]) -> None:
    bucket = place["Bucket"]
    reply = hoisted(wire, f"/{bucket}/copy", [("x-amz-copy-source", f"/{bucket}/key"), ("X-Amz-Acl", "public-read")])
    assert (reply.status, b"CopyObjectResult" in reply.body) == (200, True)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == BODY
    assert len(s3.get_object_acl(Bucket=bucket, Key="copy")["Grants"]) == 2
    assert hoisted(wire, f"/{bucket}/put", [("x-amz-meta-a", "ü")], BODY).status == 200
    assert wire.send("HEAD", f"/{bucket}/put").headers["x-amz-meta-a"].encode("latin-1").decode() == "ü"
    wrong = hoisted(wire, f"/{bucket}/put", [("x-amz-checksum-crc32", "AAAAAA==")], b"other")
    assert (wrong.status, wrong.code) == (400, "BadDigest")
    both = hoisted(wire, f"/{bucket}/put", [("x-amz-acl", "private")], BODY, "x-amz-acl: public-read\r\n")
    assert (both.status, both.code) == (403, "SignatureDoesNotMatch")


def test_a_range_beyond_the_end(s3: Any, place: dict[str, str]) -> None:
    assert refused(s3.get_object, **place, Range="bytes=10-") == ("InvalidRange", 416)


def test_a_batch_delete_with_conditions(s3: Any, bucket: str) -> None:
    for key in "abcde":
        s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    modified = s3.head_object(Bucket=bucket, Key="a")["LastModified"]
    wanted = [
        {"Key": "a", "ETag": ETAG, "Size": 10, "LastModifiedTime": modified},
        {"Key": "b", "ETag": '"0"'},
        {"Key": "c", "Size": 11},
        {"Key": "d", "LastModifiedTime": BEFORE},
        {"Key": "missing"},
    ]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert [deleted["Key"] for deleted in answer["Deleted"]] == ["a", "missing"]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [
        (key, "PreconditionFailed") for key in "bcd"
    ]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["b", "c", "d", "e"]


class TestAcls:
    """The canned ACLs, and what anybody may do with them."""

    def anonymous(self, wire: Wire, method: str, path: str) -> int:
        return wire.exchange(
            f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode(), method
        ).status

    def test_public_objects(self, s3: Any, wire: Wire, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="public", Body=BODY, ACL="public-read")
        s3.put_object(Bucket=bucket, Key="private", Body=BODY)
        assert self.anonymous(wire, "GET", f"/{bucket}/public") == 200
        assert self.anonymous(wire, "HEAD", f"/{bucket}/public") == 200
        for method, key in (("GET", "private"), ("GET", "missing"), ("PUT", "public"), ("DELETE", "public")):
            assert self.anonymous(wire, method, f"/{bucket}/{key}") == 403
        assert self.anonymous(wire, "GET", f"/{bucket}/public?acl") == 403
        s3.put_object_acl(Bucket=bucket, Key="public", ACL="private")
        assert self.anonymous(wire, "GET", f"/{bucket}/public") == 403

    def test_public_buckets(self, s3: Any, wire: Wire, bucket: str) -> None:
        assert self.anonymous(wire, "GET", f"/{bucket}") == 403
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
        for path, status in (("", 200), ("?list-type=2", 200), ("?uploads", 200), ("/missing", 404), ("?acl", 403)):
            assert self.anonymous(wire, "GET", f"/{bucket}{path}") == status
        assert self.anonymous(wire, "PUT", f"/{bucket}/key") == 403
        assert self.anonymous(wire, "DELETE", f"/{bucket}") == 403

    def test_an_acl_read_can_be_written_back(self, s3: Any, bucket: str) -> None:
        for acl in ("public-read", "private"):
            s3.put_bucket_acl(Bucket=bucket, ACL=acl)
            found = s3.get_bucket_acl(Bucket=bucket)
            public = [grant["Permission"] for grant in found["Grants"] if grant["Grantee"].get("URI") == ALL_USERS]
            assert public == (["READ"] if acl == "public-read" else [])
            policy = {"Owner": found["Owner"], "Grants": found["Grants"]}
            s3.put_bucket_acl(Bucket=bucket, ACL="private")
            s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)
            assert s3.get_bucket_acl(Bucket=bucket)["Grants"] == found["Grants"]


def test_a_bucket_made_again_by_its_owner(s3: Any, bucket: str) -> None:
    """As in us-east-1; but one that would be otherwise than it is, is not made."""
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    s3.create_bucket(Bucket=bucket)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    assert refused(s3.create_bucket, Bucket=bucket, ACL="public-read") == ("BucketAlreadyOwnedByYou", 409)


def test_a_bucket_of_another_than_the_expected_owner(s3: Any, store: Store, place: dict[str, str]) -> None:
    owner = s3.get_bucket_acl(Bucket=place["Bucket"])["Owner"]["ID"]
    source = {"CopySource": {"Bucket": place["Bucket"], "Key": "key"}}
    before = store.state()
    for other in ("111122223333", canonical_id("somebody")):
        denied = {"ExpectedBucketOwner": other}
        assert refused(s3.put_object, **place, Body=b"new", **denied) == ("AccessDenied", 403)
        assert refused(s3.get_object, **place, **denied) == ("AccessDenied", 403)
        assert refused(s3.delete_object, **place, **denied) == ("AccessDenied", 403)
        assert refused(s3.list_objects_v2, Bucket=place["Bucket"], **denied) == ("AccessDenied", 403)
        copied = {**place, "Key": "copy", **source, "ExpectedSourceBucketOwner": other}
        assert refused(s3.copy_object, **copied) == ("AccessDenied", 403)
    assert store.state() == before
    for expected in (owner, "root"):
        s3.get_object(**place, ExpectedBucketOwner=expected)
        s3.copy_object(**{**place, "Key": "copy"}, **source, ExpectedSourceBucketOwner=expected)


def test_virtual_hosts(server: Any, place: dict[str, str]) -> None:
    wire = Wire(server.port, domain=f"{place['Bucket']}.{DOMAIN}")
    assert wire.send("GET", "/key").body == BODY
    assert wire.send("PUT", "/new", b"body").status == 200
    assert b"<Key>new</Key>" in wire.send("GET", "/").body
    assert Wire(server.port, domain=DOMAIN).send("GET", f"/{place['Bucket']}/new").body == b"body"


def test_expect_continue(wire: Wire, bucket: str) -> None:
    unsigned = {"content-length": "10", "expect": "100-continue"}
    with wire.connect() as connection:
        connection.sendall(wire.head("PUT", f"/{bucket}/key", unsigned=unsigned))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert read_reply(connection, "PUT").headers["etag"] == ETAG


@pytest.mark.parametrize("framed", ["content-length", "transfer-encoding"])
def test_an_unsigned_trailer(s3: Any, wire: Wire, bucket: str, framed: str) -> None:
    crc = b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
    frames = b"6\r\n012345\r\n4\r\n6789\r\n0\r\nx-amz-checksum-crc32:" + crc.encode() + b"\r\n\r\n"
    headers = {"x-amz-decoded-content-length": "10", "x-amz-trailer": "x-amz-checksum-crc32"}
    unsigned = {"content-length": str(len(frames))}
    if framed == "transfer-encoding":
        unsigned = {"transfer-encoding": "chunked"}
        frames = f"{len(frames):x}\r\n".encode() + frames + b"\r\n0\r\n\r\n"
    head = wire.head(
        "PUT", f"/{bucket}/key", headers=headers, unsigned=unsigned, payload_hash=sigv4.STREAMING_UNSIGNED_TRAILER
    )
    reply = wire.exchange(head + frames, "PUT")
    assert (reply.status, reply.headers["x-amz-checksum-crc32"], reply.headers["etag"]) == (200, crc, ETAG)
    assert s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc


@pytest.mark.parametrize("key", ["a b+c%2F?&", "ä/ö ü", "//", "a/../b", ".", "\t", "\x01", "k" * 1024])
def test_keys_of_any_characters(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == BODY
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert refused(s3.get_object, Bucket=bucket, Key=key) == ("NoSuchKey", 404)
