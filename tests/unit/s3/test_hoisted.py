"""Which parameters of a presigned URL are headers, and of which other requests none is."""

from __future__ import annotations

import pytest

from elasticlake.s3.credentials import SignatureError
from elasticlake.s3.hoisted import with_hoisted

VERSION_2 = {"AWSAccessKeyId": "AKID", "Signature": "s", "Expires": "1"}
VERSION_4 = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "c",
    "X-Amz-Date": "d",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "s",
    "X-Amz-Security-Token": "t",
    "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
}


def test_version_4_hoists_amazon_headers_but_not_its_own_parameters() -> None:
    query = VERSION_4 | {"x-amz-acl": "private", "X-Amz-Meta-A": " ü ", "content-type": "text/csv", "x-id": "PutObject"}
    assert with_hoisted({"host": "h"}, query) == {
        "host": "h",
        "x-amz-acl": "private",
        "x-amz-meta-a": "ü".encode().decode("latin-1"),
    }


def test_version_2_hoists_the_type_and_the_digest_too() -> None:
    query = VERSION_2 | {"x-amz-acl": "private", "Content-Type": "text/csv", "content-md5": "m", "versionId": "null"}
    assert with_hoisted({}, query) == {"x-amz-acl": "private", "content-type": "text/csv", "content-md5": "m"}


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, {"x-amz-acl": "public-read"}),
        ({"authorization": "AWS4-HMAC-SHA256 x"}, VERSION_4 | {"x-amz-acl": "public-read"}),
        ({"authorization": "AWS x"}, VERSION_2 | {"x-amz-acl": "public-read"}),
    ],
)
def test_nothing_is_a_header_in_the_query_of_other_requests(headers: dict[str, str], query: dict[str, str]) -> None:
    assert with_hoisted(headers, query) == headers


def test_a_checksum_that_an_sdk_took_of_no_body_is_not_the_body_s() -> None:
    query = VERSION_4 | {"x-amz-checksum-crc32": "AAAAAA=="}
    assert with_hoisted({}, query) == {"x-amz-checksum-crc32": "AAAAAA=="}
    by_sdk = {"x-amz-sdk-checksum-algorithm": "CRC32"}
    assert with_hoisted({}, query | by_sdk) == by_sdk
    meant = {"x-amz-checksum-crc32": "AAAAAQ=="} | by_sdk
    assert with_hoisted({}, query | meant) == meant


@pytest.mark.parametrize("version", [VERSION_2, VERSION_4])
@pytest.mark.parametrize(
    ("headers", "hoisted"),
    [
        ({"x-amz-acl": "public-read"}, {"x-amz-acl": "private"}),
        ({}, {"x-amz-acl": "private", "X-AMZ-ACL": "public-read"}),
        ({}, {"x-amz-meta-a": "1\r\nx-amz-acl:public-read"}),
        ({}, {"x-amz-meta-a": "\x00"}),
        ({}, {"x-amz-meta-a:1\nx-amz-acl": "public-read"}),
        ({}, {"x-amz-meta-ü": "1"}),
    ],
)
def test_refuses_two_words_on_one_header_and_what_is_no_header(
    version: dict[str, str], headers: dict[str, str], hoisted: dict[str, str]
) -> None:
    with pytest.raises(SignatureError) as refused:
        with_hoisted(headers, version | hoisted)
    assert refused.value.code == "SignatureDoesNotMatch"
