"""Bad input: each its proper error, nothing stored, no event, and never an internal error."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest
from tests.conformance.s3.wire import Reply, Wire, read_reply, sha256_hex
from tests.integration.conftest import s3_client
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server

from elasticlake.s3 import sigv4

pytestmark = pytest.mark.usefixtures("nothing_changes")

MINUTE_MS = 60_000
GIB = 1024**3
BODY = b"hello"
ZERO_CRC32 = b64encode(bytes(4)).decode()


def check(reply: Reply, status: int, code: str) -> None:
    """The answer is this error, in S3's XML."""
    assert (reply.status, reply.code) == (status, code), reply.body
    assert reply.headers["content-type"] == "application/xml"
    assert reply.headers["x-amz-request-id"] in reply.body.decode()


def now_ms() -> int:
    return round(time.time() * 1000)


# (options of Wire.send beside its body) → status and code of a PUT of an object
REFUSED_PUTS: list[tuple[dict[str, Any], int, str]] = [
    ({"secret": "not the secret at all"}, 403, "SignatureDoesNotMatch"),
    ({"access_key_id": "NOSUCHKEYATALL"}, 403, "InvalidAccessKeyId"),
    ({"now_ms": now_ms() - 16 * MINUTE_MS}, 403, "RequestTimeTooSkewed"),
    ({"now_ms": now_ms() + 60 * MINUTE_MS}, 403, "RequestTimeTooSkewed"),
    ({"unsigned": {"x-amz-meta-added": "1"}}, 403, "AccessDenied"),
    ({"payload_hash": sha256_hex(b"another body")}, 400, "XAmzContentSHA256Mismatch"),
    ({"payload_hash": "no hash"}, 400, "InvalidArgument"),
    ({"headers": {"content-md5": b64encode(bytes(16)).decode()}}, 400, "BadDigest"),
    ({"headers": {"content-md5": "YWJyYWNhZGFicmE="}}, 400, "InvalidDigest"),
    ({"headers": {"content-md5": "!"}}, 400, "InvalidDigest"),
    ({"headers": {"content-md5": ""}}, 400, "InvalidDigest"),
    ({"headers": {"x-amz-checksum-crc32": ZERO_CRC32}}, 400, "BadDigest"),
    ({"headers": {"x-amz-checksum-crc32": "AAAA"}}, 400, "InvalidRequest"),
    ({"headers": {"x-amz-checksum-md5": "AAAA"}}, 400, "InvalidRequest"),
    ({"headers": {"x-amz-checksum-crc32": ZERO_CRC32, "x-amz-checksum-crc32c": ZERO_CRC32}}, 400, "InvalidRequest"),
    ({"headers": {"x-amz-trailer": "x-amz-checksum-crc32"}}, 400, "InvalidRequest"),
    ({"headers": {"x-amz-meta-a": "v" * 2048}}, 400, "MetadataTooLarge"),
    ({"headers": {f"x-amz-meta-{n}": "v" * 100 for n in range(21)}}, 400, "MetadataTooLarge"),
    ({"headers": {"cache-control": "v" * 20_000}}, 400, "RequestHeaderSectionTooLarge"),
    ({"headers": {"x-amz-acl": "mine-alone"}}, 400, "InvalidArgument"),
    ({"headers": {"x-amz-acl": "public-read-write"}}, 501, "NotImplemented"),
    ({"headers": {"x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'}}, 501, "NotImplemented"),
    ({"headers": {"x-amz-storage-class": "CARDBOARD"}}, 400, "InvalidStorageClass"),
    ({"headers": {"x-amz-server-side-encryption": "AES256"}}, 501, "NotImplemented"),
    ({"headers": {"x-amz-server-side-encryption-customer-key": "a2V5"}}, 501, "NotImplemented"),
    ({"headers": {"x-amz-tagging": "a=b"}}, 501, "NotImplemented"),
    ({"headers": {"x-amz-object-lock-mode": "GOVERNANCE"}}, 501, "NotImplemented"),
    ({"headers": {"x-amz-copy-source": "no-slash"}}, 400, "InvalidArgument"),
    ({"headers": {"x-amz-copy-source": "/no-such-bucket-here/key"}}, 404, "NoSuchBucket"),
    ({"headers": {"x-amz-copy-source": "/%FF/key"}}, 400, "InvalidArgument"),
    ({"headers": {"if-match": '"0"'}}, 404, "NoSuchKey"),
    ({"query": [("partNumber", "1")]}, 400, "InvalidArgument"),
    ({"query": [("uploadId", "no-such-upload"), ("partNumber", "1")]}, 404, "NoSuchUpload"),
    ({"query": [("uploadId", "no-such-upload"), ("partNumber", "0")]}, 400, "InvalidArgument"),
    ({"query": [("uploadId", "no-such-upload"), ("partNumber", "10001")]}, 400, "InvalidArgument"),
    ({"query": [("uploadId", "no-such-upload"), ("partNumber", "one")]}, 400, "InvalidArgument"),
    ({"query": [("uploadId", "no-such-upload"), ("partNumber", "--1")]}, 400, "InvalidArgument"),
    ({"query": [("uploadId", "no-such-upload"), ("partNumber", "9" * 5000)]}, 400, "InvalidArgument"),
]


@pytest.mark.parametrize(("options", "status", "code"), REFUSED_PUTS, ids=[code for _, _, code in REFUSED_PUTS])
def test_refused_puts(wire: Wire, bucket: str, options: dict[str, Any], status: int, code: str) -> None:
    check(wire.send("PUT", f"/{bucket}/key", BODY, **options), status, code)


@pytest.mark.parametrize("path", ["k" * 1025, "%C3%A4" * 513])
def test_a_key_has_at_most_1024_bytes(wire: Wire, bucket: str, path: str) -> None:
    check(wire.send("PUT", f"/{bucket}/{path}", BODY), 400, "KeyTooLongError")


@pytest.mark.parametrize("path", ["%FF", "a%C3", "%ED%A0%80", "%zz", "%", "a%2", "%%41"])
@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD", "DELETE"])
def test_paths_that_are_no_text(wire: Wire, bucket: str, path: str, method: str) -> None:
    reply = wire.send(method, f"/{bucket}/{path}", BODY if method == "PUT" else b"")
    if method == "HEAD":
        assert (reply.status, reply.body) == (400, b"")
    else:
        check(reply, 400, "InvalidURI")


@pytest.mark.parametrize("query", ["prefix=%FF", "prefix=%zz", "delimiter=%"])
def test_queries_that_are_no_text(wire: Wire, bucket: str, query: str) -> None:
    check(wire.exchange(f"GET /{bucket}?{query} HTTP/1.1\r\nhost: x\r\n\r\n".encode()), 400, "InvalidURI")


BAD_NAMES = [
    "ab", "b" * 64, "Upper-Case", "under_score", "two..dots", "192.168.5.4", "-hyphen", "hyphen-", ".dot", "xn--name",
    "name-s3alias", "sthree-name", "name--x-s3", "default--default--name", "b%C3%A4h", "%FF%FE%FD", "a%20b",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_bucket_names(wire: Wire, name: str) -> None:
    check(wire.send("PUT", f"/{name}"), 400, "InvalidBucketName")


def test_a_path_without_a_bucket_lists_no_buckets(wire: Wire) -> None:
    check(wire.send("GET", "//key"), 400, "InvalidBucketName")


@pytest.mark.parametrize(
    ("method", "level", "subresource"),
    [
        ("GET", "bucket", "policy"),
        ("PUT", "bucket", "versioning"),
        ("PUT", "bucket", "tagging"),
        ("GET", "bucket", "lifecycle"),
        ("PUT", "bucket", "cors"),
        ("DELETE", "bucket", "website"),
        ("POST", "bucket", ""),
        ("GET", "key", "tagging"),
        ("PUT", "key", "tagging"),
        ("PUT", "key", "legal-hold"),
        ("GET", "key", "attributes"),
        ("POST", "key", "restore"),
        ("POST", "key", "select"),
        ("PUT", "key", "uploads"),
    ],
)
def test_operations_that_are_not_there_yet(wire: Wire, bucket: str, method: str, level: str, subresource: str) -> None:
    path = f"/{bucket}/key" if level == "key" else f"/{bucket}"
    query = [(subresource, "")] if subresource else []
    check(wire.send(method, path, b"<x/>", query=query), 501, "NotImplemented")


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/{}/key"), ("POST", "/{}/key"), ("DELETE", "/"), ("PUT", "/")])
def test_wrong_methods(wire: Wire, bucket: str, method: str, path: str) -> None:
    check(wire.send(method, path.format(bucket)), 405, "MethodNotAllowed")


BAD_NUMBERS = ["-1", "--1", "x", "1e3", "1.5", "²", "٣", " 1", "0x10", "9" * 5000, "2147483648"]


@pytest.mark.parametrize("number", BAD_NUMBERS)
@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("max-keys", []),
        ("max-keys", [("list-type", "2")]),
        ("max-keys", [("versions", "")]),
        ("max-uploads", [("uploads", "")]),
    ],
)
def test_numbers_of_listings(wire: Wire, bucket: str, name: str, query: list[tuple[str, str]], number: str) -> None:
    check(wire.send("GET", f"/{bucket}", query=[*query, (name, number)]), 400, "InvalidArgument")


@pytest.mark.parametrize("number", BAD_NUMBERS)
@pytest.mark.parametrize("name", ["max-parts", "part-number-marker"])
def test_numbers_of_part_listings(wire: Wire, bucket: str, name: str, number: str) -> None:
    query = [("uploadId", "no-such-upload"), (name, number)]
    check(wire.send("GET", f"/{bucket}/key", query=query), 400, "InvalidArgument")


def test_an_unknown_encoding_type(wire: Wire, bucket: str) -> None:
    check(wire.send("GET", f"/{bucket}", query=[("encoding-type", "rot13")]), 400, "InvalidArgument")


def test_a_made_up_continuation_token(wire: Wire, bucket: str) -> None:
    query = [("list-type", "2"), ("continuation-token", "ä")]
    check(wire.send("GET", f"/{bucket}", query=query), 400, "InvalidArgument")


class TestLengths:
    """Bodies that are not as long as announced, or do not say how long they are."""

    def abandon(self, server: Server, wire: Wire, data: bytes) -> None:
        """Send that and hang up; returns when the server has ended the request, as its log says."""
        logged = len(server.log)
        wire.abandon(data)
        give_up_at = time.monotonic() + 20
        while "PutObject" not in server.log[logged:]:
            assert time.monotonic() < give_up_at
            time.sleep(0.01)

    def test_no_length(self, wire: Wire, bucket: str) -> None:
        check(wire.exchange(wire.head("PUT", f"/{bucket}/key")), 411, "MissingContentLength")

    def test_transfer_encoding_is_no_length(self, wire: Wire, bucket: str) -> None:
        head = wire.head("PUT", f"/{bucket}/key", unsigned={"transfer-encoding": "chunked"})
        check(wire.exchange(head + b"5\r\nhello\r\n0\r\n\r\n"), 411, "MissingContentLength")

    @pytest.mark.parametrize("length", ["x", "-1", "5, 6", "9" * 30])
    def test_no_number(self, wire: Wire, bucket: str, length: str) -> None:
        """The HTTP parser refuses these before there is an S3 request."""
        head = wire.head("PUT", f"/{bucket}/key", unsigned={"content-length": length})
        assert wire.exchange(head + BODY).status == 400

    def test_two_lengths(self, wire: Wire, bucket: str) -> None:
        head = wire.head("PUT", f"/{bucket}/key").removesuffix(b"\r\n")
        assert wire.exchange(head + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!").status == 400

    def test_length_and_transfer_encoding(self, wire: Wire, bucket: str) -> None:
        """Two ends of one body are how requests are smuggled past a proxy."""
        unsigned = {"content-length": "5", "transfer-encoding": "chunked"}
        head = wire.head("PUT", f"/{bucket}/key", unsigned=unsigned)
        assert wire.exchange(head + b"5\r\nhello\r\n0\r\n\r\n").status == 400

    @pytest.mark.parametrize("size_bytes", [5 * GIB + 1, 2**63])
    def test_over_5_gib(self, wire: Wire, bucket: str, size_bytes: int) -> None:
        head = wire.head("PUT", f"/{bucket}/key", unsigned={"content-length": str(size_bytes)})
        check(wire.exchange(head + BODY), 400, "EntityTooLarge")

    def test_over_5_gib_in_chunks(self, wire: Wire, bucket: str) -> None:
        reply = wire.send(
            "PUT",
            f"/{bucket}/key",
            BODY,
            headers={"x-amz-decoded-content-length": str(5 * GIB + 1)},
            payload_hash=sigv4.STREAMING_UNSIGNED_TRAILER,
        )
        check(reply, 400, "EntityTooLarge")

    @pytest.mark.parametrize("sent_bytes", [0, 10, 100_000, 3_000_000])
    def test_a_truncated_body(self, server: Server, wire: Wire, bucket: str, sent_bytes: int) -> None:
        head = wire.head("PUT", f"/{bucket}/key", unsigned={"content-length": "5000000"})
        self.abandon(server, wire, head + bytes(sent_bytes))

    @pytest.mark.parametrize("sent_bytes", [10, 3_000_000])
    def test_a_truncated_transfer_encoding(self, server: Server, wire: Wire, bucket: str, sent_bytes: int) -> None:
        headers = {"x-amz-decoded-content-length": "5000000"}
        head = wire.head(
            "PUT", f"/{bucket}/key", headers=headers, unsigned={"transfer-encoding": "chunked"},
            payload_hash=sigv4.STREAMING_UNSIGNED_TRAILER,
        )  # fmt: skip
        frame = b"4c4b40\r\n" + bytes(sent_bytes)
        self.abandon(server, wire, head + f"{len(frame) + 10:x}\r\n".encode() + frame)

    def test_bytes_beyond_the_length_are_no_part_of_it(self, wire: Wire, bucket: str) -> None:
        """They would be the next request, and are none."""
        unsigned = {"content-length": "3", "content-md5": b64encode(bytes(16)).decode()}
        assert wire.exchange(wire.head("PUT", f"/{bucket}/key", unsigned=unsigned) + BODY).status == 400


class TestExpectContinue:
    """Who waits for `100 Continue` hears the refusal instead, and sends no body."""

    @pytest.mark.parametrize(
        ("options", "length", "code"),
        [
            ({"secret": "another secret"}, 1000, "SignatureDoesNotMatch"),
            ({}, 5 * GIB + 1, "EntityTooLarge"),
            ({"headers": {"content-md5": "!"}}, 1000, "InvalidDigest"),
        ],
    )
    def test_refused(self, wire: Wire, bucket: str, options: dict[str, Any], length: int, code: str) -> None:
        unsigned = {"content-length": str(length), "expect": "100-continue"}
        with wire.connect() as connection:
            connection.sendall(wire.head("PUT", f"/{bucket}/key", unsigned=unsigned, **options))
            raw = connection.recv(65536)
            assert raw.startswith(b"HTTP/1.1 4")
            assert code.encode() in raw
            assert b"connection: close" in raw
            assert connection.recv(10) == b""

    def test_no_such_bucket(self, wire: Wire) -> None:
        unsigned = {"content-length": "1000", "expect": "100-continue"}
        check(wire.exchange(wire.head("PUT", "/no-such-bucket/key", unsigned=unsigned)), 404, "NoSuchBucket")


def test_a_refusal_is_heard_without_a_body(wire: Wire, bucket: str) -> None:
    """A client that announces a body and waits, without `Expect`, gets its answer all the same."""
    head = wire.head("PUT", f"/{bucket}/key", unsigned={"content-length": "1000"}, secret="another secret")
    check(wire.exchange(head), 403, "SignatureDoesNotMatch")


def test_a_refusal_is_heard_amid_a_large_body(wire: Wire, bucket: str) -> None:
    with wire.connect() as connection:
        unsigned = {"content-length": str(512 * 1024)}
        connection.sendall(wire.head("PUT", f"/{bucket}/key", unsigned=unsigned, secret="another secret"))
        connection.sendall(bytes(512 * 1024))
        check(read_reply(connection), 403, "SignatureDoesNotMatch")
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        check(read_reply(connection), 403, "AccessDenied")


class TestChunked:
    """aws-chunked bodies whose framing, signatures or trailers are wrong."""

    def chunks(self, wire: Wire, bucket: str, frames: bytes, decoded: int, **options: Any) -> Reply:
        """A PUT of these frames, as unsigned chunks with a trailer."""
        headers = {"x-amz-decoded-content-length": str(decoded), **options.pop("headers", {})}
        options.setdefault("payload_hash", sigv4.STREAMING_UNSIGNED_TRAILER)
        return wire.send("PUT", f"/{bucket}/key", frames, headers=headers, **options)

    @pytest.mark.parametrize(
        ("frames", "decoded", "code"),
        [
            (b"5\r\nhello\r\n0\r\n\r\nmore", 5, "MalformedTrailerError"),
            (b"5\r\nhello\r\n0\r\n\r\n", 6, "IncompleteBody"),
            (b"5\r\nhello\r\n0\r\n\r\n", 4, "IncompleteBody"),
            (b"5\r\nhello\r\n", 5, "IncompleteBody"),
            (b"5\r\nhel", 5, "IncompleteBody"),
            (b"", 5, "IncompleteBody"),
            (b"", 0, "IncompleteBody"),
            (b"5\r\nhelloXX0\r\n\r\n", 5, "IncompleteBody"),
            (b"hello", 5, "IncompleteBody"),
            (b"-5\r\nhello\r\n0\r\n\r\n", 5, "IncompleteBody"),
            (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 5, "MalformedTrailerError"),
        ],
    )
    def test_framing(self, wire: Wire, bucket: str, frames: bytes, decoded: int, code: str) -> None:
        check(self.chunks(wire, bucket, frames, decoded), 400, code)

    @pytest.mark.parametrize("decoded", ["", "x", "-1", "²", "9" * 5000])
    def test_decoded_length(self, wire: Wire, bucket: str, decoded: str) -> None:
        unsigned = {"content-length": "0"}
        headers = {"x-amz-decoded-content-length": decoded} if decoded.isascii() else {}
        head = wire.head(
            "PUT", f"/{bucket}/key", headers=headers, unsigned=unsigned,
            payload_hash=sigv4.STREAMING_UNSIGNED_TRAILER,
        )  # fmt: skip
        check(wire.exchange(head), 411, "MissingContentLength")

    @pytest.mark.parametrize(
        ("trailer", "code"),
        [
            (b"x-amz-checksum-crc32:AAAAAA==\r\n", "BadDigest"),
            (b"x-amz-checksum-crc32:AAAA\r\n", "InvalidRequest"),
            (b"x-amz-checksum-crc32:!\r\n", "InvalidRequest"),
            (b"x-amz-checksum-sha1:AAAAAA==\r\n", "MalformedTrailerError"),
            (b"", "MalformedTrailerError"),
        ],
    )
    def test_trailing_checksum(self, wire: Wire, bucket: str, trailer: bytes, code: str) -> None:
        frames = b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n"
        check(self.chunks(wire, bucket, frames, 5, headers={"x-amz-trailer": "x-amz-checksum-crc32"}), 400, code)

    def test_an_unknown_trailer(self, wire: Wire, bucket: str) -> None:
        headers = {"x-amz-trailer": "x-amz-meta-late"}
        reply = self.chunks(wire, bucket, b"5\r\nhello\r\n0\r\n\r\n", 5, headers=headers)
        check(reply, 400, "InvalidRequest")

    @pytest.mark.parametrize("size_bytes", [5, 200_000])
    def test_a_wrong_chunk_signature(self, wire: Wire, bucket: str, size_bytes: int) -> None:
        signature = b"0" * 64
        frames = f"{size_bytes:x}".encode() + b";chunk-signature=" + signature + b"\r\n" + bytes(size_bytes) + b"\r\n"
        frames += b"0;chunk-signature=" + signature + b"\r\n\r\n"
        reply = self.chunks(wire, bucket, frames, size_bytes, payload_hash=sigv4.STREAMING_SIGNED)
        check(reply, 403, "SignatureDoesNotMatch")

    def test_large_chunks_with_a_wrong_checksum(self, wire: Wire, bucket: str) -> None:
        frames = b"100000\r\n" + bytes(0x100000) + b"\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
        reply = self.chunks(wire, bucket, frames, 0x100000, headers={"x-amz-trailer": "x-amz-checksum-crc32"})
        check(reply, 400, "BadDigest")


class TestPresigned:
    """Presigned URLs that are too old, too new, or not what was signed."""

    def put(self, wire: Wire, path: str, query: str) -> Reply:
        head = f"PUT {path}?{query} HTTP/1.1\r\nhost: {wire.host}\r\ncontent-length: {len(BODY)}\r\n\r\n"
        return wire.exchange(head.encode() + BODY)

    def presigned(self, wire: Wire, path: str, at_ms: int, expires_seconds: int = 60) -> str:
        return sigv4.presign(
            "PUT", wire.host, path.encode(), (), ACCESS_KEY, SECRET_KEY, "us-east-1", expires_seconds, at_ms
        )

    def test_expired(self, wire: Wire, bucket: str) -> None:
        path = f"/{bucket}/key"
        check(self.put(wire, path, self.presigned(wire, path, now_ms() - 2 * MINUTE_MS)), 403, "AccessDenied")

    def test_not_yet_valid(self, wire: Wire, bucket: str) -> None:
        path = f"/{bucket}/key"
        check(self.put(wire, path, self.presigned(wire, path, now_ms() + 60 * MINUTE_MS)), 403, "AccessDenied")

    def test_for_another_key(self, wire: Wire, bucket: str) -> None:
        query = self.presigned(wire, f"/{bucket}/key", now_ms())
        check(self.put(wire, f"/{bucket}/other", query), 403, "SignatureDoesNotMatch")

    def test_with_a_longer_life(self, wire: Wire, bucket: str) -> None:
        path = f"/{bucket}/key"
        query = self.presigned(wire, path, now_ms() - 2 * MINUTE_MS).replace("Expires=60", "Expires=6000")
        check(self.put(wire, path, query), 403, "SignatureDoesNotMatch")

    def test_with_too_long_a_life(self, wire: Wire, bucket: str) -> None:
        path = f"/{bucket}/key"
        query = self.presigned(wire, path, now_ms()).replace("Expires=60", "Expires=604801")
        check(self.put(wire, path, query), 400, "AuthorizationQueryParametersError")

    def test_with_an_added_header(self, wire: Wire, bucket: str) -> None:
        path = f"/{bucket}/key"
        query = self.presigned(wire, path, now_ms())
        head = (
            f"PUT {path}?{query} HTTP/1.1\r\nhost: {wire.host}\r\ncontent-length: 0\r\nx-amz-acl: public-read\r\n\r\n"
        )
        check(wire.exchange(head.encode()), 403, "AccessDenied")


class TestPresignedVersion2:
    """The older presigned URLs, likewise."""

    @pytest.fixture
    def target(self, server: Server, bucket: str) -> str:
        """A good URL's path and query."""
        client = s3_client(server, signature_version="s3")
        place = {"Bucket": bucket, "Key": "key"}
        url: str = client.generate_presigned_url("put_object", Params=place, ExpiresIn=60)
        client.close()
        return url.removeprefix(server.url)

    def put(self, wire: Wire, target: str, headers: str = "") -> Reply:
        head = f"PUT {target} HTTP/1.1\r\nhost: {wire.host}\r\ncontent-length: {len(BODY)}\r\n{headers}\r\n"
        return wire.exchange(head.encode() + BODY)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("/key?", "/other?"),
            ("Signature=", "Signature=x"),
            ("Expires=", "Expires=9"),
            ("?", "?acl&"),
            ("?", "?uploadId=u&partNumber=1&"),
            ("?", "?response-content-type=text/html&"),
        ],
    )
    def test_changed(self, wire: Wire, target: str, old: str, new: str) -> None:
        check(self.put(wire, target.replace(old, new, 1)), 403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize("header", ["x-amz-acl: public-read", "x-amz-copy-source: /b/k", "content-type: text/html"])
    def test_with_an_added_header(self, wire: Wire, target: str, header: str) -> None:
        check(self.put(wire, target, f"{header}\r\n"), 403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize("expires", ["1", "-1", "x", "", "²", "9" * 5000])
    def test_expired(self, wire: Wire, target: str, expires: str) -> None:
        changed = re.sub(r"Expires=\d+", f"Expires={quote(expires)}", target)
        check(self.put(wire, changed), 403, "AccessDenied")

    @pytest.mark.parametrize(
        ("parameter", "header"),
        [
            ("x-amz-acl=private", "x-amz-acl: public-read"),
            ("x-amz-copy-source=/b/k", "x-amz-copy-source: /b/other"),
            ("content-type=text/csv", "content-type: text/html"),
        ],
    )
    def test_with_a_header_that_says_otherwise(self, wire: Wire, target: str, parameter: str, header: str) -> None:
        check(self.put(wire, f"{target}&{parameter}", f"{header}\r\n"), 403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize("parameter", ["x-amz-acl=public-read", "x-amz-copy-source=/b/k", "content-type=text/html"])
    def test_with_an_added_header_in_the_query(self, wire: Wire, target: str, parameter: str) -> None:
        check(self.put(wire, f"{target}&{parameter}"), 403, "SignatureDoesNotMatch")

    def test_for_a_key_that_is_gone(self, wire: Wire, target: str) -> None:
        check(self.put(wire, target.replace(ACCESS_KEY, "NOSUCHKEYATALL")), 403, "InvalidAccessKeyId")


def test_nobody_in_particular_writes_nothing(wire: Wire, bucket: str) -> None:
    head = f"PUT /{bucket}/key HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n".encode()
    check(wire.exchange(head + BODY), 403, "AccessDenied")


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "?delete"), ("PUT", ""), ("PUT", "?acl"), ("PUT", "/key?acl"), ("POST", "/key?uploadId=u")],
)
def test_nobody_s_documents_are_not_awaited(wire: Wire, bucket: str, method: str, target: str) -> None:
    """The answer comes while the document's last byte is still to come."""
    head = f"{method} /{bucket}{target} HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n"
    with wire.connect() as connection:
        connection.sendall(f"{head}content-md5: {b64encode(bytes(16)).decode()}\r\n\r\n<".encode())
        check(read_reply(connection), 403, "AccessDenied")


@pytest.mark.parametrize("prefix", ["\0", "\ue000", "\U0010ffff", "conformance-\0"])
def test_buckets_of_a_prefix_that_no_name_has(wire: Wire, prefix: str) -> None:
    reply = wire.send("GET", "/", query=[("prefix", prefix)])
    assert reply.status == 200
    assert b"<Buckets></Buckets>" in reply.body


BOMB = b"""<?xml version="1.0"?><!DOCTYPE Delete [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>
<Delete><Object><Key>&d;</Key></Object></Delete>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE Delete [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<Delete><Object><Key>&a;</Key></Object></Delete>"""
BAD_DOCUMENTS = [
    b"", b"text", b"<Delete>", b"<Delete/>", b"<Other/>", b"<Delete><Object/></Delete>", b"\xff\xfe<Delete/>",
    b"<Delete><Object><Key></Key></Object></Delete>",
    b"<!DOCTYPE Delete><Delete><Object><Key>a</Key></Object></Delete>",
    b"<Delete><Object><Key>a</Key><Size>many</Size></Object></Delete>",
    b"<Delete><Object><Key>a<?x?>b</Key></Object></Delete>", b"<Delete><Object><Key>a<b/>c</Key></Object></Delete>",
    b"<Delete><Object><Key>a</Key><LastModifiedTime>then</LastModifiedTime></Object></Delete>",
    b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>", b"<a>" * 5000, BOMB, EXTERNAL,
    b"<Delete><Object><Key>" + b"a" * 100_000,
]  # fmt: skip


class TestDocuments:
    """XML that is none, or is not what was asked for."""

    @pytest.mark.parametrize("body", BAD_DOCUMENTS, ids=range(len(BAD_DOCUMENTS)))
    def test_delete_objects(self, wire: Wire, bucket: str, body: bytes) -> None:
        reply = wire.send("POST", f"/{bucket}", body, query=[("delete", "")], payload_hash=sha256_hex(body))
        check(reply, 400, "MalformedXML")

    @pytest.mark.parametrize(
        ("headers", "payload_hash", "code"),
        [
            ({}, sigv4.UNSIGNED_PAYLOAD, "InvalidRequest"),
            ({}, sha256_hex(b"another"), "XAmzContentSHA256Mismatch"),
            ({"content-md5": b64encode(bytes(16)).decode()}, sigv4.UNSIGNED_PAYLOAD, "BadDigest"),
            ({"x-amz-checksum-crc32": ZERO_CRC32}, sigv4.UNSIGNED_PAYLOAD, "BadDigest"),
        ],
    )
    def test_delete_objects_needs_a_true_digest(
        self, wire: Wire, bucket: str, headers: dict[str, str], payload_hash: str, code: str
    ) -> None:
        body = b"<Delete><Object><Key>a</Key></Object></Delete>"
        options: dict[str, Any] = {"headers": headers, "payload_hash": payload_hash}
        check(wire.send("POST", f"/{bucket}", body, query=[("delete", "")], **options), 400, code)

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"<CompleteMultipartUpload/>", b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
            b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
            b"<CompleteMultipartUpload><Part><PartNumber>-1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
            "<CompleteMultipartUpload><Part><PartNumber>²</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
            .encode(),
        ],
    )  # fmt: skip
    def test_complete_multipart_upload(self, wire: Wire, bucket: str, body: bytes) -> None:
        reply = wire.send("POST", f"/{bucket}/key", body, query=[("uploadId", "no-such-upload")])
        check(reply, 400, "MalformedXML")

    def test_a_completion_is_held_to_its_signature(self, wire: Wire, bucket: str) -> None:
        body = b"<CompleteMultipartUpload/>"
        reply = wire.send(
            "POST", f"/{bucket}/key", body, query=[("uploadId", "u")], payload_hash=sha256_hex(b"another")
        )
        check(reply, 400, "XAmzContentSHA256Mismatch")

    @pytest.mark.parametrize("body", [b"<", b"<CreateBucket/>", BOMB])
    def test_create_bucket(self, wire: Wire, body: bytes) -> None:
        check(wire.send("PUT", "/never-made", body), 400, "MalformedXML")

    @pytest.mark.parametrize("path", ["", "/key"])
    @pytest.mark.parametrize("body", [b"<", b"<Other/>", BOMB])
    def test_acl(self, wire: Wire, bucket: str, path: str, body: bytes) -> None:
        check(wire.send("PUT", f"/{bucket}{path}", body, query=[("acl", "")]), 400, "MalformedACLError")

    @pytest.mark.parametrize(
        "grants",
        [
            "",
            '<Grant><Grantee><ID>somebody</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>',
            '<Grant><Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>'
            "<Permission>WRITE</Permission></Grant>",
            "<Grant><Grantee><EmailAddress>a@example.com</EmailAddress></Grantee><Permission>READ</Permission></Grant>",
        ],
    )  # fmt: skip
    def test_grants_that_are_not_there_yet(self, wire: Wire, bucket: str, grants: str) -> None:
        body = f"<AccessControlPolicy><AccessControlList>{grants}</AccessControlList></AccessControlPolicy>".encode()
        check(wire.send("PUT", f"/{bucket}", body, query=[("acl", "")]), 501, "NotImplemented")

    def test_too_large(self, wire: Wire, bucket: str) -> None:
        unsigned = {"content-length": str(4 * 1024 * 1024 + 1)}
        head = wire.head("POST", f"/{bucket}", query=[("delete", "")], unsigned=unsigned)
        check(wire.exchange(head), 400, "MaxMessageLengthExceeded")


class TestOptions:
    """Preflight requests, of a server without CORS rules."""

    def test_without_an_origin(self, wire: Wire, bucket: str) -> None:
        check(wire.exchange(f"OPTIONS /{bucket}/key HTTP/1.1\r\nhost: x\r\n\r\n".encode()), 400, "BadRequest")

    def test_with_an_origin(self, wire: Wire, bucket: str) -> None:
        head = f"OPTIONS /{bucket}/key HTTP/1.1\r\nhost: x\r\norigin: https://example.com\r\n"
        check(wire.exchange(f"{head}\r\n".encode()), 400, "BadRequest")
        check(wire.exchange(f"{head}access-control-request-method: PUT\r\n\r\n".encode()), 403, "AccessForbidden")


@pytest.mark.parametrize("line", ["x-a: " + "a" * 1_000_000, "x-amz-meta-a: a\x7fb", "x-amz-meta-a: a\x01b"])
def test_header_lines_that_nobody_should_send(wire: Wire, bucket: str, line: str) -> None:
    head = wire.head("PUT", f"/{bucket}/key", unsigned={"content-length": "0"}).removesuffix(b"\r\n")
    assert wire.exchange(head + line.encode("latin-1") + b"\r\n\r\n").status in (400, 431)
