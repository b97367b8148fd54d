"""Headers in both directions: ranges, attributes, ACLs, conditions, checksums."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.s3.requests import request

from elasticlake.model.objects import Attributes, Checksum, Content, ObjectVersion
from elasticlake.s3.errors import S3Error
from elasticlake.s3.headers import (
    ByteRange,
    not_modified_headers,
    object_headers,
    range_holds,
    read_acl,
    read_attributes,
    read_conditions,
    read_delete_conditions,
    read_range,
    read_upload_checksum,
    read_write_conditions,
    refuse_unimplemented,
)
from elasticlake.service.conditions import NONE, Conditions

NOW = 1_700_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def code_of(call: object, *arguments: object) -> str:
    with pytest.raises(S3Error) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-9", (0, 10)),
        ("bytes=0-99", (0, 10)),
        (f"bytes=0-{2**64 - 1}", (0, 10)),
        ("bytes=9-", (9, 1)),
        ("bytes=-1", (9, 1)),
        ("bytes=-100", (0, 10)),
        ("bytes= 3-4", (3, 2)),
    ],
)
def test_ranges(value: str, expected: tuple[int, int]) -> None:
    assert read_range(value, 10) == ByteRange(*expected)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "bytes=5-4",
        "lines=0-1",
        "0-1",
        "bytes=1",
        "bytes=²-5",
        "bytes=0-" + "9" * 5000,
        "bytes=--5",
    ],
)
def test_what_is_no_range_is_ignored(value: str | None) -> None:
    assert read_range(value, 10) is None


@pytest.mark.parametrize(
    ("value", "size_bytes"), [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=-1", 0)]
)
def test_ranges_of_no_byte(value: str, size_bytes: int) -> None:
    with pytest.raises(S3Error) as caught:
        read_range(value, size_bytes)
    assert (caught.value.code, caught.value.status) == ("InvalidRange", 416)
    assert caught.value.details == {"RangeRequested": value, "ActualObjectSize": str(size_bytes)}


@given(st.text("bytes=-,0123456789 ", max_size=12), st.integers(0, 30))
def test_a_range_lies_within_the_object(value: str, size_bytes: int) -> None:
    try:
        found = read_range(value, size_bytes)
    except S3Error:
        return
    if found is not None:
        assert found.offset >= 0
        assert found.size_bytes >= 1
        assert found.offset + found.size_bytes <= size_bytes


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("gzip", "gzip"),
        ("deflate, gzip", "deflate, gzip"),
        ("aws-chunked", None),
        ("aws-chunked, gzip", "gzip"),
        ("gzip,aws-chunked", "gzip"),
        ("aws-chunked,aws-chunked", None),
    ],
)
def test_content_encoding_is_what_the_bytes_are(sent: str, stored: str | None) -> None:
    attributes = read_attributes(request("PUT", headers=[("content-encoding", sent)]))
    assert attributes.headers.get("content-encoding") == stored


def test_attributes() -> None:
    sent = [
        ("content-type", "text/plain"),
        ("cache-control", "no-store"),
        ("expires", "whenever"),
        ("x-amz-meta-name", "value"),
        ("x-amz-meta-empty", ""),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("authorization", "secret"),
    ]
    attributes = read_attributes(request("PUT", headers=sent))
    assert attributes.content_type == "text/plain"
    assert attributes.headers == {
        "cache-control": "no-store",
        "expires": "whenever",
        "x-amz-storage-class": "STANDARD_IA",
    }
    assert attributes.metadata == {"name": "value", "empty": ""}
    assert read_attributes(request("PUT")).content_type == "binary/octet-stream"


def test_metadata_has_a_limit() -> None:
    read_attributes(request("PUT", headers=[("x-amz-meta-a", "v" * 2047)]))
    too_much = request("PUT", headers=[("x-amz-meta-a", "v" * 2048)])
    assert code_of(read_attributes, too_much) == "MetadataTooLarge"


@pytest.mark.parametrize(
    ("canned", "expected"),
    [
        (None, None),
        ("private", "private"),
        ("public-read", "public-read"),
        ("bucket-owner-full-control", "private"),
    ],
)
def test_canned_acls(canned: str | None, expected: str | None) -> None:
    assert read_acl(request(headers=[("x-amz-acl", canned)] if canned else [])) == expected


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("x-amz-acl", "public-read-write", "NotImplemented"),
        ("x-amz-acl", "authenticated-read", "NotImplemented"),
        ("x-amz-acl", "Private", "InvalidArgument"),
        ("x-amz-acl", "", "InvalidArgument"),
        ("x-amz-grant-full-control", "id=x", "NotImplemented"),
    ],
)
def test_acls_that_are_refused(name: str, value: str, code: str) -> None:
    assert code_of(read_acl, request(headers=[(name, value)])) == code


@pytest.mark.parametrize(
    "name",
    [
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-tagging",
        "x-amz-object-lock-mode",
    ],
)
def test_promises_that_are_not_kept_are_not_given(name: str) -> None:
    refuse_unimplemented(request("PUT"))
    assert code_of(refuse_unimplemented, request("PUT", headers=[(name, "x")])) == "NotImplemented"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], NONE),
        ([("if-match", '"a"')], Conditions(if_match=("a",))),
        ([("if-match", "a")], Conditions(if_match=("a",))),
        ([("if-match", " * ")], Conditions(if_match=("*",))),
        ([("if-none-match", '"a", W/"b" ,c')], Conditions(if_none_match=("a", "b", "c"))),
        ([("if-match", "")], Conditions(if_match=("",))),
        ([("if-match", ",")], Conditions(if_match=("",))),
        ([("if-modified-since", DATE)], Conditions(if_modified_since=NOW)),
        ([("if-unmodified-since", DATE)], Conditions(if_unmodified_since=NOW)),
        ([("if-modified-since", "yesterday")], NONE),
    ],
)
def test_conditions(headers: list[tuple[str, str]], expected: Conditions) -> None:
    assert read_conditions(request(headers=headers)) == expected
    source = [("x-amz-copy-source-" + name, value) for name, value in headers]
    assert read_conditions(request(headers=source), "x-amz-copy-source-") == expected
    assert read_conditions(request(headers=source)) == NONE


def test_a_write_is_not_conditional_on_being_outdated() -> None:
    headers = [("if-modified-since", DATE), ("if-none-match", "*"), ("if-unmodified-since", DATE)]
    expected = Conditions(if_none_match=("*",), if_unmodified_since=NOW)
    assert read_write_conditions(request("PUT", headers=headers)) == expected


def test_conditions_of_a_delete() -> None:
    headers = [("if-match", '"a"'), ("x-amz-if-match-size", "0"), ("x-amz-if-match-last-modified-time", DATE)]
    expected = Conditions(if_match=("a",), if_match_size=0, if_match_modified=NOW)
    assert read_delete_conditions(request("DELETE", headers=headers)) == expected
    iso = [("x-amz-if-match-last-modified-time", "2023-11-14T22:13:20.000Z")]
    assert read_delete_conditions(request("DELETE", headers=iso)) == Conditions(if_match_modified=NOW)
    for time in ("", "then", "2023-11-14T25:00:00Z"):
        headers = [("x-amz-if-match-last-modified-time", time)]
        assert code_of(read_delete_conditions, request("DELETE", headers=headers)) == "InvalidArgument"
    for size in ("-1", "x", "²", "9" * 5000):
        assert code_of(read_delete_conditions, request("DELETE", headers=[("x-amz-if-match-size", size)])) == (
            "InvalidArgument"
        )


@pytest.mark.parametrize(
    ("algorithm", "kind", "expected"),
    [
        (None, None, (None, None)),
        ("crc32", None, ("CRC32", None)),
        ("CRC32", "FULL_OBJECT", ("CRC32", "FULL_OBJECT")),
        ("SHA256", "COMPOSITE", ("SHA256", "COMPOSITE")),
        ("CRC64NVME", "FULL_OBJECT", ("CRC64NVME", "FULL_OBJECT")),
    ],
)
def test_checksums_of_uploads(algorithm: str | None, kind: str | None, expected: tuple[str | None, str | None]) -> None:
    headers = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)]
    assert read_upload_checksum(request(headers=[(name, value) for name, value in headers if value])) == expected


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("MD5", None), (None, "COMPOSITE"), ("SHA1", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"), ("CRC32", "HALF")],
)
def test_checksums_of_uploads_that_are_refused(algorithm: str | None, kind: str | None) -> None:
    headers = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)]
    asked = request(headers=[(name, value) for name, value in headers if value])
    assert code_of(read_upload_checksum, asked) == "InvalidRequest"


VERSION = ObjectVersion(
    b"key",
    1,
    5,
    "e" * 32,
    NOW * 1000,
    Attributes("text/plain", {"cache-control": "no-store"}, {"a": "\xe4"}),
    "private",
    Checksum("CRC32", "AAAAAA=="),
    Content(),
)


def test_headers_of_an_object() -> None:
    headers = dict(object_headers(VERSION, with_checksum=True))
    assert headers == {
        b"last-modified": DATE.encode(),
        b"etag": b'"' + b"e" * 32 + b'"',
        b"accept-ranges": b"bytes",
        b"content-type": b"text/plain",
        b"content-security-policy": b"sandbox",
        b"x-content-type-options": b"nosniff",
        b"cache-control": b"no-store",
        b"x-amz-meta-a": b"\xe4",
        b"x-amz-checksum-crc32": b"AAAAAA==",
        b"x-amz-checksum-type": b"FULL_OBJECT",
    }
    assert b"x-amz-checksum-crc32" not in dict(object_headers(VERSION, with_checksum=False))


@pytest.mark.parametrize(
    ("if_range", "holds"),
    [
        (None, True),
        ('"' + "e" * 32 + '"', True),
        (DATE, True),
        ('W/"' + "e" * 32 + '"', False),
        ('"other"', False),
        ("Tue, 14 Nov 2023 22:13:21 GMT", False),
        ("Tue, 14 Nov 2023 22:13:19 GMT", False),
        ("", False),
        ("*", False),
    ],
)
def test_a_range_of_the_object_that_was_begun(if_range: str | None, holds: bool) -> None:
    assert range_holds(if_range, VERSION) is holds


def test_headers_of_what_was_not_modified() -> None:
    names = [name for name, _ in not_modified_headers(VERSION)]
    assert names == [b"last-modified", b"etag", b"cache-control"]
