"""The body of a PUT: off the wire, out of its aws-chunked frames, and held against everything its sender said of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from elasticlake.blobs.digests import Digests
from elasticlake.errors import IncompleteBody
from elasticlake.model.objects import require_put_size
from elasticlake.s3.chunked import ChunkedDecoder
from elasticlake.s3.claims import (
    CHECKSUM_PREFIX,
    check_claims,
    checksum_claim,
    header_algorithm,
    header_claims,
    trailing_algorithm,
)
from elasticlake.s3.credentials import STREAMING_UNSIGNED_TRAILER, is_streaming
from elasticlake.s3.errors import S3Error
from elasticlake.s3.request import S3Request, is_digits
from elasticlake.s3.sigv4 import ChunkSigner


class RequestBody:
    """A request's body as the services read it (`service.intake.Body`)."""

    def __init__(self, request: S3Request) -> None:
        self._request = request
        self._decoder = read_framing(request)
        self.length: int | None = _declared_length(request)
        self._claims = header_claims(request)
        self._trailing = trailing_algorithm(request)
        if self._trailing is not None and self._decoder is None:
            raise S3Error("InvalidRequest", "A trailer is announced for a body that is not aws-chunked.")
        self.checksum_algorithm = self._trailing or header_algorithm(request)
        """The additional checksum that the sender gave or announced, in S3's name (`CRC32C`)."""
        names = {claim.algorithm for claim in self._claims}
        self.algorithms = frozenset(names | ({self._trailing.lower()} if self._trailing else set()))

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        async for piece in self._from(await self._request.intake.next()):
            yield piece

    async def _from(self, data: bytes) -> AsyncIterator[bytes | memoryview]:
        intake, decoder = self._request.intake, self._decoder
        while data:
            if decoder is None:
                yield data
            else:
                for piece in decoder.feed(data):
                    yield piece
            data = await intake.next()
        if decoder is not None:
            self._add_trailing_claim(decoder.finish())

    async def whole(self) -> bytes:
        first = await self._request.intake.next()
        if self._decoder is None and self._request.intake.ended:
            return first
        data = bytearray()
        async for piece in self._from(first):
            data += piece
            if self.length is not None and len(data) > self.length:
                raise IncompleteBody
        return bytes(data)

    def require(self, algorithm: str | None) -> None:
        """Hash with this algorithm as well: the upload asked for it, whatever the part's sender gave."""
        if algorithm is not None:
            self.algorithms |= {algorithm.lower()}

    def verify(self, digests: Digests) -> None:
        """Raises `S3Error` if a claim does not hold."""
        check_claims(self._claims, digests)

    def _add_trailing_claim(self, trailers: dict[str, str]) -> None:
        if self._trailing is None:
            return
        value = trailers.get(CHECKSUM_PREFIX + self._trailing.lower())
        if value is None:
            raise S3Error("MalformedTrailerError", "The request announced a trailing checksum and did not send it.")
        self._claims.append(checksum_claim(self._trailing.lower(), value))


def read_framing(request: S3Request) -> ChunkedDecoder | None:
    """What takes the body out of its aws-chunked frames; None where it comes as it is. Raises `S3Error`."""
    payload_hash = _payload_hash(request)
    if not is_streaming(payload_hash):
        return None
    size_bytes = _decoded_length(request)
    signer = None
    if payload_hash != STREAMING_UNSIGNED_TRAILER:
        if request.credentials is None:
            raise S3Error("AccessDenied")
        signer = ChunkSigner(request.credentials, request.signing_key, request.seed_signature)
    trailers = [name for name in request.headers.get("x-amz-trailer", "").split(",") if name.strip()]
    return ChunkedDecoder(payload_hash, size_bytes, trailer_names=trailers, signer=signer)


def _payload_hash(request: S3Request) -> str:
    if request.credentials is not None:
        return request.credentials.payload_hash
    return request.headers.get("x-amz-content-sha256", "")


def _decoded_length(request: S3Request) -> int:
    size = request.headers.get("x-amz-decoded-content-length", "")
    if not is_digits(size):
        raise S3Error("MissingContentLength")
    return require_put_size(int(size))


def _declared_length(request: S3Request) -> int:
    if is_streaming(_payload_hash(request)):
        return _decoded_length(request)
    length = request.content_length
    if length is None:
        raise S3Error("MissingContentLength")
    return require_put_size(length)
