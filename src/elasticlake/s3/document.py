"""Request bodies that are small XML documents: taken whole, and held against what their sender said of them."""

from __future__ import annotations

from elasticlake.blobs.digests import Digests
from elasticlake.s3.body import read_framing
from elasticlake.s3.chunked import ChunkedDecoder
from elasticlake.s3.claims import (
    CHECKSUM_PREFIX,
    Claim,
    check_claims,
    checksum_claim,
    header_claims,
    trailing_algorithm,
    transfer_claims,
)
from elasticlake.s3.errors import S3Error
from elasticlake.s3.request import S3Request

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024


async def read_document(
    request: S3Request,
    *,
    checksum_is_of_object: bool = False,
    require_digest: bool = False,
    maximum_bytes: int = MAX_DOCUMENT_BYTES,
) -> bytes:
    """The whole body, empty if there is none.

    `checksum_is_of_object` where the operation's x-amz-checksum-… headers speak of an object and not of this document;
    `require_digest` where S3 wants the document to come with one. Raises `S3Error`.
    """
    if (request.content_length or 0) > maximum_bytes:
        raise S3Error("MaxMessageLengthExceeded")
    claims = transfer_claims(request) if checksum_is_of_object else header_claims(request)
    framing = read_framing(request)
    if require_digest and not claims and framing is None:
        message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        raise S3Error("InvalidRequest", message)
    body = await _read(request, framing, maximum_bytes)
    if framing is not None:
        claims += _trailing_claims(request, framing.finish())
    _check(claims, body)
    return body


async def _read(request: S3Request, framing: ChunkedDecoder | None, maximum_bytes: int) -> bytes:
    body = bytearray()
    while data := await request.intake.next():
        for piece in (data,) if framing is None else framing.feed(data):
            body += piece
        if len(body) > maximum_bytes:
            raise S3Error("MaxMessageLengthExceeded")
    return bytes(body)


def _trailing_claims(request: S3Request, trailers: dict[str, str]) -> list[Claim]:
    algorithm = trailing_algorithm(request)
    if algorithm is None:
        return []
    name = algorithm.lower()
    return [checksum_claim(name, trailers[CHECKSUM_PREFIX + name])]


def _check(claims: list[Claim], body: bytes) -> None:
    if claims:
        digests = Digests({claim.algorithm for claim in claims})
        digests.update(body)
        check_claims(claims, digests)
