"""What a request asks for, as its bytes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.s3.requests import request

from elasticlake.s3.errors import S3Error
from elasticlake.s3.request import MAX_HEADER_BYTES, Message, is_digits, read_request


@pytest.mark.parametrize(
    ("target", "bucket", "key"),
    [
        ("/", None, None),
        ("/bucket", "bucket", None),
        ("/bucket/", "bucket", None),
        ("/bucket/key", "bucket", b"key"),
        ("/bucket//key", "bucket", b"/key"),
        ("/bucket/a/../b", "bucket", b"a/../b"),
        ("/bucket/a%2Fb%20c+d", "bucket", b"a/b c+d"),
        ("/bucket/%C3%A4", "bucket", "ä".encode()),
        ("/bucket/%FF", "bucket", b"\xff"),
        ("/b%C3%A4", "bä", None),
    ],
)
def test_places(target: str, bucket: str | None, key: bytes | None) -> None:
    asked = request(target=target)
    assert (asked.bucket, asked.key) == (bucket, key)


@pytest.mark.parametrize(
    ("host", "target", "bucket", "key"),
    [
        ("my-bucket.example.com", "/key", "my-bucket", b"key"),
        ("my-bucket.example.com:9000", "/a/b", "my-bucket", b"a/b"),
        ("My-Bucket.Example.COM", "/", "my-bucket", None),
        ("dotted.name.example.com", "/", "dotted.name", None),
        ("example.com", "/bucket/key", "bucket", b"key"),
        ("notexample.com", "/bucket/key", "bucket", b"key"),
        ("[::1]:9000", "/bucket/key", "bucket", b"key"),
        ("[::1]", "/bucket/key", "bucket", b"key"),
    ],
)
def test_virtual_hosts(host: str, target: str, bucket: str, key: bytes | None) -> None:
    asked = request(target=target, headers=[("host", host)], domains=("example.com",))
    assert (asked.bucket, asked.key) == (bucket, key)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/bucket/%", "InvalidURI"),
        ("/bucket/%4", "InvalidURI"),
        ("/bucket/%zz", "InvalidURI"),
        ("/bucket?prefix=%zz", "InvalidURI"),
        ("/bucket?prefix=%FF", "InvalidURI"),
        ("/%FF/key", "InvalidBucketName"),
        ("//key", "InvalidBucketName"),
    ],
)
def test_targets_that_say_nothing(target: str, code: str) -> None:
    with pytest.raises(S3Error) as caught:
        request(target=target)
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_parameters() -> None:
    asked = request(target="/bucket?uploads&prefix=a%2Fb+c&empty=")
    assert asked.query == {"uploads": "", "prefix": "a/b c", "empty": ""}


def test_headers_have_a_limit() -> None:
    request(headers=[("x-a", "a" * MAX_HEADER_BYTES)])
    for headers, target in ((MAX_HEADER_BYTES + 1, "/b"), (0, "/b?" + "q" * (MAX_HEADER_BYTES + 1))):
        with pytest.raises(S3Error) as caught:
            request(target=target, headers=[("x-a", "a" * headers)])
        assert caught.value.code == "RequestHeaderSectionTooLarge"


@pytest.mark.parametrize(("text", "value"), [("", 7), ("0", 0), ("12", 12), ("1001", 1000), ("2147483647", 1000)])
def test_numbers(text: str, value: int) -> None:
    assert request(target=f"/bucket?max-keys={text}").number("max-keys", 7, 1000) == value


@pytest.mark.parametrize("text", ["-1", "--1", "x", "1e3", "%C2%B2", "%D9%A3", "+1", "2147483648", "9" * 5000])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(S3Error) as caught:
        request(target=f"/bucket?max-keys={text}").number("max-keys", 7, 1000)
    assert caught.value.code == "InvalidArgument"
    assert caught.value.details["ArgumentName"] == "max-keys"


@given(st.text(max_size=50))
def test_digits_are_what_int_takes(text: str) -> None:
    if is_digits(text):
        assert int(text) >= 0
        assert text.isascii()


async def test_a_client_that_goes_away_leaves_an_incomplete_body() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"method": "PUT", "path": "/b/k", "raw_path": b"/b/k", "query_string": b"", "headers": []}
    asked = read_request(scope, receive, "ID", ())
    with pytest.raises(S3Error) as caught:
        await asked.intake.next()
    assert caught.value.code == "IncompleteBody"
    assert await asked.intake.next() == b""
