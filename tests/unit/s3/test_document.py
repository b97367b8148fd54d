"""XML documents are held against what their sender said of them."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode

import pytest
from tests.unit.s3.requests import request

from elasticlake.s3.credentials import STREAMING_UNSIGNED_TRAILER, UNSIGNED_PAYLOAD, Credentials
from elasticlake.s3.document import MAX_DOCUMENT_BYTES, read_document
from elasticlake.s3.errors import S3Error
from elasticlake.s3.request import S3Request

BODY = b"<Document/>"
CRC32 = b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
MD5 = b64encode(hashlib.md5(BODY).digest()).decode()


def asked(headers: dict[str, str] | None = None, payload_hash: str = UNSIGNED_PAYLOAD, body: bytes = BODY) -> S3Request:
    found = request("POST", "/bucket?delete", (headers or {}).items(), [body[:3], body[3:]])
    found.credentials = Credentials(
        "AKID", "20260101", "r", "s3", ("host",), "", "20260101T000000Z", 0, "header", None, payload_hash
    )
    return found


@pytest.mark.parametrize(
    ("headers", "payload_hash"),
    [
        ({}, UNSIGNED_PAYLOAD),
        ({"content-length": str(len(BODY))}, hashlib.sha256(BODY).hexdigest().upper()),
        ({"content-md5": MD5, "x-amz-checksum-crc32": CRC32}, UNSIGNED_PAYLOAD),
    ],
)
async def test_documents(headers: dict[str, str], payload_hash: str) -> None:
    assert await read_document(asked(headers, payload_hash)) == BODY


async def test_no_document() -> None:
    assert await read_document(request("PUT", "/bucket")) == b""


async def test_a_document_in_chunks() -> None:
    frames = b"b\r\n" + BODY + b"\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n"
    headers = {"x-amz-decoded-content-length": str(len(BODY)), "x-amz-trailer": "x-amz-checksum-crc32"}
    good = asked(headers, STREAMING_UNSIGNED_TRAILER, frames % CRC32.encode())
    assert await read_document(good, require_digest=True) == BODY
    with pytest.raises(S3Error) as caught:
        await read_document(asked(headers, STREAMING_UNSIGNED_TRAILER, frames % b"AAAAAA=="))
    assert caught.value.code == "BadDigest"


@pytest.mark.parametrize(
    ("headers", "payload_hash", "code"),
    [
        ({"content-md5": b64encode(bytes(16)).decode()}, UNSIGNED_PAYLOAD, "BadDigest"),
        ({"content-md5": "x"}, UNSIGNED_PAYLOAD, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, UNSIGNED_PAYLOAD, "BadDigest"),
        ({}, hashlib.sha256(b"another").hexdigest(), "XAmzContentSHA256Mismatch"),
        ({"content-length": str(MAX_DOCUMENT_BYTES + 1)}, UNSIGNED_PAYLOAD, "MaxMessageLengthExceeded"),
    ],
)
async def test_documents_that_are_refused(headers: dict[str, str], payload_hash: str, code: str) -> None:
    with pytest.raises(S3Error) as caught:
        await read_document(asked(headers, payload_hash))
    assert caught.value.code == code


async def test_a_document_without_a_length_is_no_larger() -> None:
    with pytest.raises(S3Error) as caught:
        await read_document(asked(body=bytes(MAX_DOCUMENT_BYTES + 1)))
    assert caught.value.code == "MaxMessageLengthExceeded"


async def test_a_digest_where_one_is_required() -> None:
    with pytest.raises(S3Error) as caught:
        await read_document(asked(), require_digest=True)
    assert caught.value.code == "InvalidRequest"
    assert await read_document(asked({"content-md5": MD5}), require_digest=True) == BODY


async def test_a_checksum_of_the_object_is_not_the_document_s() -> None:
    other = asked({"x-amz-checksum-crc32": "AAAAAA=="})
    assert await read_document(other, checksum_is_of_object=True) == BODY


@pytest.mark.parametrize("headers", [{}, {"content-length": str(len(BODY))}])
async def test_a_document_of_an_operation_s_own_limit(headers: dict[str, str]) -> None:
    assert await read_document(asked(headers), maximum_bytes=len(BODY)) == BODY
    with pytest.raises(S3Error) as caught:
        await read_document(asked(headers), maximum_bytes=len(BODY) - 1)
    assert caught.value.code == "MaxMessageLengthExceeded"
