"""The multipart family through boto3: checksums of every kind, copies, order, retries, pages, parts read back."""

from __future__ import annotations

import hashlib
import random
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from awscrt import checksums
from botocore.exceptions import ClientError
from tests.conformance.conftest import Store

pytestmark = pytest.mark.both_engines

MIB = 1024 * 1024
PART = 5 * MIB
HASHES: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: checksums.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: checksums.crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
COMPOSITE = [(name, "COMPOSITE") for name in ("CRC32", "CRC32C", "SHA1", "SHA256")]
FULL = [(name, "FULL_OBJECT") for name in ("CRC32", "CRC32C", "CRC64NVME")]


def noise(size_bytes: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


def text(digest: bytes) -> str:
    return b64encode(digest).decode()


def refused(call: Any, **arguments: Any) -> tuple[str, int]:
    """The error code and status of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


class Upload:
    """An upload under way, and the parts that it has so far."""

    def __init__(self, s3: Any, bucket: str, key: str = "key", **options: Any) -> None:
        self.s3 = s3
        self.answer = s3.create_multipart_upload(Bucket=bucket, Key=key, **options)
        self.place = {"Bucket": bucket, "Key": key, "UploadId": self.answer["UploadId"]}
        self.parts: list[dict[str, Any]] = []

    def put(self, number: int, data: bytes, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.s3.upload_part(**self.place, PartNumber=number, Body=data, **options)
        named = {
            name: value for name, value in answer.items() if name.startswith("Checksum") and name != "ChecksumType"
        }
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"], **named})
        return answer

    def complete(self, parts: list[dict[str, Any]] | None = None, **options: Any) -> dict[str, Any]:
        listed = self.parts if parts is None else parts
        answer: dict[str, Any] = self.s3.complete_multipart_upload(
            **self.place, MultipartUpload={"Parts": listed}, **options
        )
        return answer

    def refusal(self, parts: list[dict[str, Any]] | None = None, **options: Any) -> tuple[str, int]:
        listed = self.parts if parts is None else parts
        return refused(self.s3.complete_multipart_upload, **self.place, MultipartUpload={"Parts": listed}, **options)


def etag_of(parts: list[bytes]) -> str:
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    return f'"{digest}-{len(parts)}"'


@pytest.mark.parametrize(("algorithm", "kind"), COMPOSITE + FULL)
def test_checksums(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    bodies = [noise(PART), noise(PART + 1, 1), noise(7, 2)]
    digest = HASHES[algorithm]
    if kind == "COMPOSITE":
        expected = text(digest(b"".join(digest(body) for body in bodies))) + "-3"
    else:
        expected = text(digest(b"".join(bodies)))
    member = f"Checksum{algorithm}"
    upload = Upload(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    assert (upload.answer["ChecksumAlgorithm"], upload.answer["ChecksumType"]) == (algorithm, kind)
    for number, body in enumerate(bodies, start=1):
        assert upload.put(number, body, ChecksumAlgorithm=algorithm)[member] == text(digest(body))
    listed = s3.list_parts(**upload.place)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, kind)
    assert [part[member] for part in listed["Parts"]] == [text(digest(body)) for body in bodies]
    wrong = text(bytes(len(digest(b""))))
    assert upload.refusal(**{member: wrong}) == ("BadDigest", 400)
    done = upload.complete(**{member: expected})
    assert (done[member], done["ChecksumType"], done["ETag"]) == (expected, kind, etag_of(bodies))
    head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert (head[member], head["ChecksumType"], head["ETag"]) == (expected, kind, etag_of(bodies))
    got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(bodies)
    for number, body in enumerate(bodies, start=1):
        part = s3.get_object(Bucket=bucket, Key="key", PartNumber=number, ChecksumMode="ENABLED")
        assert (part[member], part["PartsCount"]) == (text(digest(body)), 3)
        assert part["Body"].read() == body


@pytest.mark.parametrize(("algorithm", "kind"), COMPOSITE + FULL)
def test_a_part_sent_without_the_upload_s_checksum_is_given_one(
    s3: Any, bucket: str, algorithm: str, kind: str
) -> None:
    bodies = [noise(PART), b"end"]
    digest, member = HASHES[algorithm], f"Checksum{algorithm}"
    upload = Upload(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    for number, body in enumerate(bodies, start=1):
        s3.put_object(Bucket=bucket, Key="source", Body=body)
        copied = s3.upload_part_copy(**upload.place, PartNumber=number, CopySource={"Bucket": bucket, "Key": "source"})[
            "CopyPartResult"
        ]
        assert copied[member] == text(digest(body))
        upload.parts.append({"PartNumber": number, "ETag": copied["ETag"]})
    parts = b"".join(digest(body) for body in bodies)
    expected = text(digest(parts)) + "-2" if kind == "COMPOSITE" else text(digest(b"".join(bodies)))
    assert upload.complete()[member] == expected


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")]
)
def test_types_that_an_algorithm_has_not(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    refusal = refused(
        s3.create_multipart_upload, Bucket=bucket, Key="key", ChecksumAlgorithm=algorithm, ChecksumType=kind
    )
    assert refusal == ("InvalidRequest", 400)


def test_a_part_with_another_algorithm_than_the_upload_s(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket, ChecksumAlgorithm="SHA256")
    refusal = refused(s3.upload_part, **upload.place, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    assert refusal == ("InvalidRequest", 400)


def test_a_part_s_checksum_named_wrong(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket, ChecksumAlgorithm="CRC32")
    upload.put(1, b"x", ChecksumAlgorithm="CRC32")
    assert upload.refusal([{**upload.parts[0], "ChecksumCRC32": "AAAAAA=="}]) == ("InvalidPart", 400)


def test_a_checksum_of_another_algorithm_than_the_upload_s(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket, ChecksumAlgorithm="CRC32")
    upload.put(1, b"x", ChecksumAlgorithm="CRC32")
    assert upload.refusal(ChecksumSHA256=text(hashlib.sha256(b"x").digest())) == ("BadDigest", 400)
    assert upload.refusal(ChecksumType="FULL_OBJECT") == ("InvalidArgument", 400)


def test_the_size_that_the_client_expects(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.put(1, b"12345")
    assert upload.refusal(MpuObjectSize=6) == ("InvalidArgument", 400)
    upload.complete(MpuObjectSize=5)


def test_a_completion_asked_again_answers_the_same_and_changes_nothing(s3: Any, bucket: str, store: Store) -> None:
    upload = Upload(s3, bucket)
    upload.put(1, b"body")
    done = upload.complete()
    before = store.state()
    again = upload.complete(IfNoneMatch="*")
    assert (again["ETag"], again["Location"]) == (done["ETag"], done["Location"])
    assert store.state() == before
    assert refused(s3.upload_part, **upload.place, PartNumber=1, Body=b"x") == ("NoSuchUpload", 404)
    assert refused(s3.abort_multipart_upload, **upload.place) == ("NoSuchUpload", 404)
    assert refused(s3.list_parts, **upload.place) == ("NoSuchUpload", 404)


def test_a_part_put_again_replaces_the_first(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    first = upload.put(1, noise(PART))
    second = upload.put(1, noise(PART, 1))
    upload.put(2, b"end")
    (listed, _) = s3.list_parts(**upload.place)["Parts"]
    assert (listed["ETag"], listed["Size"]) == (second["ETag"], PART)
    assert upload.refusal([{"PartNumber": 1, "ETag": first["ETag"]}]) == ("InvalidPart", 400)
    upload.complete(upload.parts[1:])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == noise(PART, 1) + b"end"


def test_parts_left_out_and_numbers_with_gaps(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    for number, body in ((3, noise(PART)), (10_000, b"last"), (7, b"left out")):
        upload.put(number, body)
    done = upload.complete([upload.parts[0], upload.parts[1]])
    assert done["ETag"] == etag_of([noise(PART), b"last"])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == noise(PART) + b"last"
    second = s3.get_object(Bucket=bucket, Key="key", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (b"last", 2)


def test_parts_that_are_too_small(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.put(1, noise(PART - 1))
    upload.put(2, b"end")
    assert upload.refusal() == ("EntityTooSmall", 400)
    upload.put(1, noise(PART))
    upload.complete([upload.parts[2], upload.parts[1]])


def test_order(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.put(1, noise(PART))
    upload.put(2, noise(PART))
    one, two = upload.parts
    assert upload.refusal([two, one]) == ("InvalidPartOrder", 400)
    assert upload.refusal([one, one]) == ("InvalidPartOrder", 400)
    assert upload.refusal([one, {**two, "PartNumber": 3}]) == ("InvalidPart", 400)
    assert upload.refusal([one, {**two, "ETag": '"0"'}]) == ("InvalidPart", 400)
    assert upload.refusal([]) == ("MalformedXML", 400)


def test_conditions_of_a_completion(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"there")["ETag"]
    upload = Upload(s3, bucket)
    upload.put(1, b"new")
    assert upload.refusal(IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert upload.refusal(IfMatch='"0"') == ("PreconditionFailed", 412)
    upload.complete(IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"new"


def test_an_empty_part_alone(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket, ContentType="text/plain", Metadata={"a": "b"}, CacheControl="no-store")
    upload.put(1, b"")
    upload.complete()
    head = s3.head_object(Bucket=bucket, Key="key", PartNumber=1)
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (0, "text/plain", {"a": "b"})
    assert (head["CacheControl"], head["PartsCount"], head["ETag"]) == ("no-store", 1, etag_of([b""]))


def test_parts_that_an_object_has_not(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="plain", Body=b"body")
    got = s3.get_object(Bucket=bucket, Key="plain", PartNumber=1)
    assert (got["Body"].read(), got["ResponseMetadata"]["HTTPStatusCode"]) == (b"body", 206)
    assert "PartsCount" not in got
    assert refused(s3.get_object, Bucket=bucket, Key="plain", PartNumber=2) == ("InvalidPartNumber", 416)
    assert refused(s3.get_object, Bucket=bucket, Key="plain", PartNumber=0) == ("InvalidArgument", 400)
    assert refused(s3.get_object, Bucket=bucket, Key="plain", PartNumber=1, Range="bytes=0-1") == (
        "InvalidRequest",
        400,
    )


def test_copied_parts(s3: Any, bucket: str) -> None:
    source = noise(PART + 100)
    etag = s3.put_object(Bucket=bucket, Key="source", Body=source)["ETag"]
    upload = Upload(s3, bucket)
    ranges = [("bytes=0-5242879", source[:PART]), ("bytes=100-5242979", source[100:]), ("bytes=5-5", source[5:6])]
    for number, (chosen, data) in enumerate(ranges, start=1):
        answer = s3.upload_part_copy(
            **upload.place,
            PartNumber=number,
            CopySource={"Bucket": bucket, "Key": "source"},
            CopySourceRange=chosen,
            CopySourceIfMatch=etag,
        )["CopyPartResult"]
        assert answer["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
        upload.parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    upload.complete()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"".join(data for _, data in ranges)


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"CopySourceRange": "bytes=0-99"}, ("InvalidRange", 416)),
        ({"CopySourceRange": "bytes=10-11"}, ("InvalidRange", 416)),
        ({"CopySourceRange": "bytes=0"}, ("InvalidArgument", 400)),
        ({"CopySourceRange": "bytes=2-1"}, ("InvalidArgument", 400)),
        ({"CopySourceRange": "bytes=-5"}, ("InvalidArgument", 400)),
        ({"CopySourceRange": "bytes=5-"}, ("InvalidArgument", 400)),
        ({"CopySourceRange": "0-1"}, ("InvalidArgument", 400)),
        ({"CopySourceIfMatch": '"0"'}, ("PreconditionFailed", 412)),
        ({"CopySourceIfNoneMatch": "*"}, ("PreconditionFailed", 412)),
    ],
)
def test_copied_parts_refused(s3: Any, bucket: str, options: dict[str, str], refusal: tuple[str, int]) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = Upload(s3, bucket)
    source = {"Bucket": bucket, "Key": "source"}
    found = refused(s3.upload_part_copy, **upload.place, PartNumber=1, CopySource=source, **options)
    assert found == refusal
    assert "Parts" not in s3.list_parts(**upload.place)


def test_pages_of_parts(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    numbers = [1, 2, 5, 9, 10_000]
    for number in numbers:
        upload.put(number, b"x")
    pages = s3.get_paginator("list_parts").paginate(**upload.place, PaginationConfig={"PageSize": 2})
    assert [[part["PartNumber"] for part in page["Parts"]] for page in pages] == [[1, 2], [5, 9], [10_000]]
    page = s3.list_parts(**upload.place, PartNumberMarker=2, MaxParts=2)
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["PartNumberMarker"]) == (True, 9, 2)


def uploads_of(s3: Any, bucket: str, **options: Any) -> list[tuple[list[tuple[str, str]], list[str]]]:
    """Every page of an upload listing: its uploads and its common prefixes."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, **options)
    return [
        (
            [(upload["Key"], upload["UploadId"]) for upload in page.get("Uploads", [])],
            [common["Prefix"] for common in page.get("CommonPrefixes", [])],
        )
        for page in pages
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_pages_of_uploads(s3: Any, bucket: str, size: int) -> None:
    keys = ["a", "a", "a", "a", "a", "b", "dir/1", "dir/1", "dir/2", "ä & <b>", "z"]
    made = sorted((key.encode(), Upload(s3, bucket, key).place["UploadId"]) for key in keys)
    pages = uploads_of(s3, bucket, PaginationConfig={"PageSize": size})
    listed = [(key.encode(), upload_id) for uploads, _ in pages for key, upload_id in uploads]
    assert listed == made
    assert len(pages) == -(-len(keys) // size)
    grouped = uploads_of(s3, bucket, Delimiter="/", PaginationConfig={"PageSize": size})
    assert [key for uploads, _ in grouped for key, _ in uploads] == ["a", "a", "a", "a", "a", "b", "z", "ä & <b>"]
    assert [prefix for _, prefixes in grouped for prefix in prefixes] == ["dir/"]
    within = uploads_of(s3, bucket, Prefix="dir/", PaginationConfig={"PageSize": size})
    assert [key for uploads, _ in within for key, _ in uploads] == ["dir/1", "dir/1", "dir/2"]


def test_an_aborted_upload_is_gone(s3: Any, bucket: str) -> None:
    upload = Upload(s3, bucket)
    upload.put(1, noise(PART))
    s3.abort_multipart_upload(**upload.place)
    assert upload.refusal() == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_a_bucket_goes_with_the_uploads_in_it(s3: Any, bucket: str, store: Store) -> None:
    """An empty part has no blob, so none is queued for deletion."""
    queued = store.state()["blob_deletions"][0][0]
    upload = Upload(s3, bucket)
    upload.put(1, b"")
    upload.put(2, b"bytes")
    s3.delete_bucket(Bucket=bucket)
    assert store.state()["blob_deletions"][0][0] == queued + 1
    assert upload.refusal() == ("NoSuchBucket", 404)
