"""What a sender says of a body's bytes: digests in headers and in the trailer, each to be held against the bytes."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Iterable
from typing import NamedTuple

from elasticlake.blobs.digests import DIGEST_SIZES_BYTES, Digests
from elasticlake.s3.errors import S3Error
from elasticlake.s3.request import S3Request

CHECKSUMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
CHECKSUM_PREFIX = "x-amz-checksum-"
_NO_CHECKSUM = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})


class Claim(NamedTuple):
    """A digest that the sender gave for the body."""

    algorithm: str
    digest: bytes
    code: str
    message: str


def check_claims(claims: Iterable[Claim], digests: Digests) -> None:
    """Raises `S3Error` for the first claim that does not hold."""
    for claim in claims:
        if not hmac.compare_digest(digests.digest(claim.algorithm), claim.digest):
            raise S3Error(claim.code, claim.message)


def transfer_claims(request: S3Request) -> list[Claim]:
    """What Content-MD5 and the signed payload hash say; raises `S3Error` InvalidDigest."""
    claims: list[Claim] = []
    md5 = request.headers.get("content-md5")
    if md5 is not None:
        digest = _unbase64(md5, 16, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        claims.append(
            Claim("md5", digest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
        )
    credentials = request.credentials
    if credentials is not None and credentials.payload_sha256 is not None:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        claims.append(Claim("sha256", bytes.fromhex(credentials.payload_sha256), "XAmzContentSHA256Mismatch", message))
    return claims


def header_claims(request: S3Request) -> list[Claim]:
    """Everything that the headers say of the body; raises `S3Error` for a digest that cannot be one."""
    claims = transfer_claims(request)
    algorithm = header_algorithm(request)
    if algorithm is not None:
        name = algorithm.lower()
        claims.append(checksum_claim(name, request.headers[CHECKSUM_PREFIX + name]))
    return claims


def checksum_claim(name: str, value: str) -> Claim:
    """An additional checksum, `value` in base64; raises `S3Error` InvalidRequest if it cannot be one."""
    message = f"Value for x-amz-checksum-{name} header is invalid."
    digest = _unbase64(value, DIGEST_SIZES_BYTES[name], "InvalidRequest", message)
    message = f"The {name.upper()} you specified did not match the calculated checksum."
    return Claim(name, digest, "BadDigest", message)


def header_algorithm(request: S3Request) -> str | None:
    """The algorithm, in S3's name (`CRC32C`), of the one x-amz-checksum-… header; raises `S3Error` InvalidRequest."""
    given = [name for name in request.headers if name.startswith(CHECKSUM_PREFIX) and name not in _NO_CHECKSUM]
    if not given:
        return None
    if len(given) > 1:
        raise S3Error(
            "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    name = given[0].removeprefix(CHECKSUM_PREFIX)
    if name not in CHECKSUMS:
        raise S3Error("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
    return name.upper()


def trailing_algorithm(request: S3Request) -> str | None:
    """The algorithm of the checksum that x-amz-trailer announces; raises `S3Error` InvalidRequest."""
    for name in request.headers.get("x-amz-trailer", "").lower().split(","):
        name = name.strip()
        if not name:
            continue
        algorithm = name.removeprefix(CHECKSUM_PREFIX)
        if not name.startswith(CHECKSUM_PREFIX) or algorithm not in CHECKSUMS:
            raise S3Error("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
        return algorithm.upper()
    return None


def _unbase64(value: str, size_bytes: int, code: str, message: str) -> bytes:
    try:
        digest = b64decode(value, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != size_bytes:
        raise S3Error(code, message)
    return digest
