"""The body of a PUT: taken off the wire, unwrapped from aws-chunked, and checked against everything its sender said of it."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import NamedTuple

from elasticlake.blobs.digests import Digests
from elasticlake.model.objects import require_put_size
from elasticlake.s3.chunked import ChunkedDecoder
from elasticlake.s3.credentials import STREAMING_UNSIGNED_TRAILER
from elasticlake.s3.errors import S3Error
from elasticlake.s3.request import S3Request
from elasticlake.s3.sigv4 import ChunkSigner

DIGEST_BYTES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
_CHECKSUM_PREFIX = "x-amz-checksum-"
_NO_CHECKSUM = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})
_STREAMING_PREFIX = "STREAMING-"


class Claim(NamedTuple):
    """A digest that the sender gave for the body."""

    algorithm: str
    digest: bytes
    code: str
    message: str


class RequestBody:
    """A request's body as the services read it (`service.intake.Body`)."""

    def __init__(self, request: S3Request) -> None:
        self._request = request
        self._decoder = _decoder(request)
        self.length: int | None = _declared_length(request)
        self._claims = _header_claims(request)
        self._trailing = _trailing_algorithm(request)
        self.checksum_algorithm = self._trailing or _header_algorithm(request)
        """The additional checksum that the sender gave or announced, in S3's name (`CRC32C`)."""
        names = {claim.algorithm for claim in self._claims}
        self.algorithms = frozenset(names | ({self._trailing.lower()} if self._trailing else set()))

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        intake, decoder = self._request.intake, self._decoder
        while data := await intake.next():
            if decoder is None:
                yield data
            else:
                for piece in decoder.feed(data):
                    yield piece
        if decoder is not None:
            self._add_trailing_claim(decoder.finish())

    def require(self, algorithm: str | None) -> None:
        """Hash with this algorithm as well: the upload asked for it, whatever the part's sender gave."""
        if algorithm is not None:
            self.algorithms |= {algorithm.lower()}

    def verify(self, digests: Digests) -> None:
        """Raises `S3Error` if a claim does not hold."""
        for claim in self._claims:
            if not hmac.compare_digest(digests.digest(claim.algorithm), claim.digest):
                raise S3Error(claim.code, claim.message)

    def _add_trailing_claim(self, trailers: dict[str, str]) -> None:
        if self._trailing is None:
            return
        value = trailers.get(_CHECKSUM_PREFIX + self._trailing.lower())
        if value is None:
            raise S3Error("MalformedTrailerError", "The request announced a trailing checksum and did not send it.")
        self._claims.append(_checksum_claim(self._trailing.lower(), value))


def _decoder(request: S3Request) -> ChunkedDecoder | None:
    credentials = request.credentials
    payload_hash = request.headers.get("x-amz-content-sha256", "")
    if credentials is not None and credentials.kind == "header":
        payload_hash = credentials.payload_hash
    if not payload_hash.startswith(_STREAMING_PREFIX):
        return None
    size = request.headers.get("x-amz-decoded-content-length", "")
    if not size.isdigit():
        raise S3Error("MissingContentLength")
    signer = None
    if payload_hash != STREAMING_UNSIGNED_TRAILER:
        if credentials is None:
            raise S3Error("AccessDenied")
        signer = ChunkSigner(credentials, request.signing_key, request.seed_signature)
    trailers = [name for name in request.headers.get("x-amz-trailer", "").split(",") if name.strip()]
    return ChunkedDecoder(payload_hash, require_put_size(int(size)), trailer_names=trailers, signer=signer)


def _declared_length(request: S3Request) -> int:
    size = request.headers.get("x-amz-decoded-content-length", "")
    if size.isdigit() and _is_chunked(request):
        return require_put_size(int(size))
    length = request.content_length
    if length is None:
        raise S3Error("MissingContentLength")
    return require_put_size(length)


def _is_chunked(request: S3Request) -> bool:
    return request.headers.get("x-amz-content-sha256", "").startswith(_STREAMING_PREFIX)


def _header_claims(request: S3Request) -> list[Claim]:
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
    algorithm = _header_algorithm(request)
    if algorithm is not None:
        name = algorithm.lower()
        claims.append(_checksum_claim(name, request.headers[_CHECKSUM_PREFIX + name]))
    return claims


def _checksum_claim(name: str, value: str) -> Claim:
    digest = _unbase64(
        value, DIGEST_BYTES[name], "InvalidRequest", f"Value for x-amz-checksum-{name} header is invalid."
    )
    message = f"The {name.upper()} you specified did not match the calculated checksum."
    return Claim(name, digest, "BadDigest", message)


def _header_algorithm(request: S3Request) -> str | None:
    given = [name for name in request.headers if name.startswith(_CHECKSUM_PREFIX) and name not in _NO_CHECKSUM]
    if not given:
        return None
    if len(given) > 1:
        raise S3Error(
            "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    name = given[0].removeprefix(_CHECKSUM_PREFIX)
    if name not in DIGEST_BYTES:
        raise S3Error("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
    return name.upper()


def _trailing_algorithm(request: S3Request) -> str | None:
    for name in request.headers.get("x-amz-trailer", "").lower().split(","):
        name = name.strip()
        if not name:
            continue
        algorithm = name.removeprefix(_CHECKSUM_PREFIX)
        if not name.startswith(_CHECKSUM_PREFIX) or algorithm not in DIGEST_BYTES:
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
