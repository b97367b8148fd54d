"""AWS Signature Version 4 for S3: requests read, verified and, for our own clients, signed.

Nothing here does I/O or knows accounts: `parse` says who claims to have signed, the caller finds that key's secret, and
`verify` proves it. Faults are looked for in the order, and answered with the codes and words, of S3 itself.

Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference.
"""

import hmac
import re
from collections.abc import Mapping

from elasticlake.clock import rfc3339_seconds
from elasticlake.s3.authorization import parse_header, sign
from elasticlake.s3.canonical import (
    ALGORITHM,
    Headers,
    canonical_query,
    canonical_request,
    decode_query,
    header_map,
    hmac_hex,
    string_to_sign,
)
from elasticlake.s3.credentials import (
    STREAMING_SIGNED,
    STREAMING_SIGNED_TRAILER,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED_PAYLOAD,
    Credentials,
    SignatureError,
    version_two_refused,
)
from elasticlake.s3.presigned import parse_query, presign
from elasticlake.s3.signing_keys import SigningKeys, signing_key

__all__ = [
    "MAX_SKEW_MS",
    "STREAMING_SIGNED",
    "STREAMING_SIGNED_TRAILER",
    "STREAMING_UNSIGNED_TRAILER",
    "UNSIGNED_PAYLOAD",
    "ChunkSigner",
    "Credentials",
    "Headers",
    "SignatureError",
    "SigningKeys",
    "check_freshness",
    "header_map",
    "parse",
    "presign",
    "sign",
    "signing_key",
    "verify",
]

MAX_SKEW_MS = 15 * 60 * 1000

# An encoded name ("X%2DAmz-Signature") is the same name, so a query with one has to be decoded to tell.
_may_authenticate = re.compile(rb"Signature|X-Amz-Algorithm|(?:^|&)[^=&]*%").search
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


def parse(query_string: bytes, headers: Headers) -> Credentials | None:
    """Read who signed a request; None for an anonymous one.

    Raises SignatureError with S3's code for every malformed, ambiguous or unsupported form. That the signature is true,
    and the request neither too old nor too new, is `verify`'s to say.
    """
    by_name = header_map(headers)
    authorization = by_name.get(b"authorization", b"").decode("latin-1").strip()
    parameters = _query_credentials(query_string)
    if authorization:
        _refuse_second_mechanism(parameters, {"ArgumentName": "Authorization", "ArgumentValue": authorization})
        return parse_header(authorization, by_name)
    if not parameters:
        return None
    if "Signature" in parameters:
        if "X-Amz-Algorithm" in parameters:
            _refuse_second_mechanism(parameters, {"ArgumentName": "Authorization"})
        raise version_two_refused()
    return parse_query(parameters, by_name)


def check_freshness(credentials: Credentials, now_ms: int) -> None:
    """Refuse a request signed too long ago, or in the future.

    Raises SignatureError: RequestTimeTooSkewed for the header form, AccessDenied for a presigned URL that has expired
    or is not valid yet. S3 answers so even where the access key does not exist.
    """
    if credentials.expires_seconds is not None:
        _check_lifetime(credentials.signed_at_ms, credentials.expires_seconds, now_ms)
    elif abs(now_ms - credentials.signed_at_ms) > MAX_SKEW_MS:
        details = {
            "RequestTime": credentials.timestamp,
            "ServerTime": rfc3339_seconds(now_ms),
            "MaxAllowedSkewMilliseconds": str(MAX_SKEW_MS),
        }
        message = "The difference between the request time and the current time is too large."
        raise SignatureError("RequestTimeTooSkewed", message, details)


def verify(
    credentials: Credentials,
    key: bytes,
    method: str,
    raw_path: bytes,
    query_string: bytes,
    headers: Headers,
    now_ms: int,
) -> str:
    """Prove that the holder of `key` (see `signing_key`) signed this request; returns the signature that seeds chunks.

    `raw_path` and `query_string` are the bytes of the request line; `host` is taken as it was sent. Raises
    SignatureError as `check_freshness` does, and SignatureDoesNotMatch with the strings that were signed here.
    """
    check_freshness(credentials, now_ms)
    query = canonical_query(query_string, without=b"X-Amz-Signature" if credentials.kind == "query" else None)
    request = canonical_request(
        method, raw_path, query, header_map(headers), credentials.signed_headers, credentials.payload_hash
    )
    to_sign = string_to_sign(credentials.timestamp, credentials.scope, request)
    signature = hmac_hex(key, to_sign)
    if not _same(signature, credentials.signature):
        raise _mismatch(credentials.access_key_id, to_sign, credentials.signature, request)
    return signature


class ChunkSigner:
    """Signs the chunks of one aws-chunked body, each signature covering the one before it.

    Source: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" and
    "... Including Trailing Headers", Amazon S3 API Reference.
    """

    def __init__(self, credentials: Credentials, key: bytes, seed_signature: str) -> None:
        self._access_key_id = credentials.access_key_id
        self._key = key
        self._context = f"{credentials.timestamp}\n{credentials.scope}"
        self._previous = seed_signature

    def sign_chunk(self, sha256_hex: str) -> str:
        """The signature of the next chunk, given its data's SHA-256."""
        return self._advance(self._chunk_to_sign(sha256_hex))

    def sign_trailer(self, sha256_hex: str) -> str:
        """The signature of the trailer, given the SHA-256 of its `name:value\\n` lines."""
        return self._advance(self._trailer_to_sign(sha256_hex))

    def check_chunk(self, sha256_hex: str, signature: str) -> None:
        """Raises SignatureError (SignatureDoesNotMatch) unless `signature` is the next chunk's."""
        self._check(self._chunk_to_sign(sha256_hex), signature)

    def check_trailer(self, sha256_hex: str, signature: str) -> None:
        """Raises SignatureError (SignatureDoesNotMatch) unless `signature` is the trailer's."""
        self._check(self._trailer_to_sign(sha256_hex), signature)

    def _chunk_to_sign(self, sha256_hex: str) -> bytes:
        # The third line is the hash of the chunk's headers, of which there never are any.
        return f"{ALGORITHM}-PAYLOAD\n{self._context}\n{self._previous}\n{_EMPTY_SHA256}\n{sha256_hex}".encode()

    def _trailer_to_sign(self, sha256_hex: str) -> bytes:
        return f"AWS4-HMAC-SHA256-TRAILER\n{self._context}\n{self._previous}\n{sha256_hex}".encode()

    def _advance(self, to_sign: bytes) -> str:
        self._previous = hmac_hex(self._key, to_sign)
        return self._previous

    def _check(self, to_sign: bytes, signature: str) -> None:
        if not _same(self._advance(to_sign), signature):
            raise _mismatch(self._access_key_id, to_sign, signature, None)


def _query_credentials(query_string: bytes) -> dict[str, str]:
    """The parameters of the query that authenticate, first of each name; none where it has neither version's marks."""
    if not _may_authenticate(query_string):
        return {}
    parameters: dict[str, str] = {}
    for name, value in decode_query(query_string):
        if name.startswith(b"X-Amz-") or name == b"Signature":
            parameters.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    marks = ("X-Amz-Algorithm", "X-Amz-Signature", "Signature")
    return parameters if any(mark in parameters for mark in marks) else {}


def _refuse_second_mechanism(parameters: Mapping[str, str], details: Mapping[str, str]) -> None:
    if parameters:
        message = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified"
        )
        raise SignatureError("InvalidArgument", message, details)


def _check_lifetime(signed_at_ms: int, expires_seconds: int, now_ms: int) -> None:
    expires_at_ms = signed_at_ms + expires_seconds * 1000
    if signed_at_ms - now_ms > MAX_SKEW_MS:
        message, details = "Request is not yet valid", {"X-Amz-Date": str(signed_at_ms)}
    elif now_ms > expires_at_ms:
        message, details = "Request has expired", {"X-Amz-Expires": str(expires_seconds)}
    else:
        return
    times = {"Expires": rfc3339_seconds(expires_at_ms), "ServerTime": rfc3339_seconds(now_ms)}
    raise SignatureError("AccessDenied", message, details | times)


def _mismatch(access_key_id: str, to_sign: bytes, provided: str, request: bytes | None) -> SignatureError:
    details = {
        "AWSAccessKeyId": access_key_id,
        "StringToSign": to_sign.decode("utf-8", "replace"),
        "SignatureProvided": provided,
        "StringToSignBytes": to_sign.hex(" "),
    }
    if request is not None:
        details |= {"CanonicalRequest": request.decode("utf-8", "replace"), "CanonicalRequestBytes": request.hex(" ")}
    return SignatureError("SignatureDoesNotMatch", _MISMATCH, details)


def _same(ours: str, theirs: str) -> bool:
    """Compare in constant time; as bytes, since a hostile signature need not be ASCII."""
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogatepass"))
