"""The Authorization header: requests signed in their headers, read and made.

Source: "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from elasticlake.s3.canonical import ALGORITHM, canonical_request, encode_query, hmac_hex, string_to_sign
from elasticlake.s3.credentials import (
    UNSIGNED_PAYLOAD,
    Credentials,
    SignatureError,
    check_payload_hash,
    format_timestamp,
    parse_date_header,
    parse_timestamp,
    require_signed,
    split_credential,
    version_two_refused,
)
from elasticlake.s3.signing_keys import signing_key

_MALFORMED = "AuthorizationHeaderMalformed"
_MALFORMED_PREFIX = "The authorization header is malformed; "
_SIGNATURE = "Signature="
_SIGNATURE_CHARACTERS = 64
_MAX_CACHED_CHARACTERS = 512
"""Longer components are anybody's: a cache of them would grow by what strangers send."""
_COMPONENTS = frozenset(("Credential", "SignedHeaders", "Signature"))

_Parsed = tuple[str, str, str, str, tuple[str, ...], str]


def parse_header(authorization: str, headers: Mapping[bytes, bytes]) -> Credentials:
    """Read `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, in the order of checks that S3 makes.

    Raises SignatureError: InvalidRequest for Signature Version 2 or a missing payload hash, InvalidArgument for any
    other scheme or an impossible hash, AccessDenied for a missing date or a header that had to be signed, and
    AuthorizationHeaderMalformed for the components.
    """
    scheme, space, rest = authorization.partition(" ")
    if scheme.upper() != ALGORITHM or not space:
        raise _scheme_refused(scheme, bool(space), authorization)
    timestamp, signed_at_ms = _signing_time(headers)
    others, stands_last, signature = rest.rpartition(_SIGNATURE)
    if stands_last and len(signature) == _SIGNATURE_CHARACTERS:
        key_id, date, region, service, signed_headers, _ = _parse_components(f"{others}{_SIGNATURE}-")
    else:
        key_id, date, region, service, signed_headers, signature = _parse_components(rest)
    if date != timestamp[:8]:
        fault = "Invalid credential date. Date is not the same as X-Amz-Date."
        raise SignatureError(_MALFORMED, _MALFORMED_PREFIX + fault)
    require_signed(signed_headers, headers)
    payload_hash = headers.get(b"x-amz-content-sha256")
    if payload_hash is None:
        raise SignatureError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    return Credentials(
        key_id, date, region, service, signed_headers, signature, timestamp, signed_at_ms,
        "header", None, check_payload_hash(payload_hash.strip().decode("latin-1")),
    )  # fmt: skip


def sign(
    method: str,
    host: str,
    raw_path: bytes,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    access_key_id: str,
    secret: str,
    region: str,
    now_ms: int,
    payload_hash: str = UNSIGNED_PAYLOAD,
) -> dict[str, str]:
    """All headers to send: those given, `host`, the date and the payload hash, all of them signed, and `authorization`.

    Names are lower-case. `raw_path` is the path as sent, encoded; `query` the parameters, decoded.
    """
    timestamp = format_timestamp(now_ms)
    signed = {**headers, "host": host, "x-amz-date": timestamp, "x-amz-content-sha256": payload_hash}
    names = sorted(signed)
    encoded = encode_query((name.encode(), value.encode()) for name, value in query)
    values = {name.encode(): value.encode() for name, value in signed.items()}
    request = canonical_request(method, raw_path, encoded, values, names, payload_hash)
    scope = f"{timestamp[:8]}/{region}/s3/aws4_request"
    signature = hmac_hex(signing_key(secret, timestamp[:8], region), string_to_sign(timestamp, scope, request))
    credential = f"Credential={access_key_id}/{scope}"
    signed["authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return signed


def _scheme_refused(scheme: str, has_space: bool, authorization: str) -> SignatureError:
    details = {"ArgumentName": "Authorization", "ArgumentValue": authorization}
    if not has_space:
        message = "Authorization header is invalid -- one and only one ' ' (space) required"
        return SignatureError("InvalidArgument", message, details)
    if scheme.upper() == "AWS":
        return version_two_refused()
    return SignatureError("InvalidArgument", "Unsupported Authorization Type", details)


def _signing_time(headers: Mapping[bytes, bytes]) -> tuple[str, int]:
    """`x-amz-date`, or `Date` where that is missing: in the form that is signed, and in milliseconds of the epoch."""
    amz_date = headers.get(b"x-amz-date")
    if amz_date is not None:
        timestamp = amz_date.strip().decode("latin-1")
        signed_at_ms = parse_timestamp(timestamp)
    else:
        signed_at_ms = parse_date_header(headers.get(b"date", b"").strip().decode("latin-1"))
        timestamp = format_timestamp(signed_at_ms) if signed_at_ms is not None else ""
    if signed_at_ms is None:
        raise SignatureError("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
    return timestamp, signed_at_ms


def _parse_components(components: str) -> _Parsed:
    if len(components) > _MAX_CACHED_CHARACTERS:
        return _read_components.__wrapped__(components)
    return _read_components(components)


@lru_cache(maxsize=4096)
def _read_components(components: str) -> _Parsed:
    """Key id, date, region, service, signed headers, signature: all but the last the same in most of a client's
    requests, so read once."""
    parts = _split_components(components)
    key_id, date, region, service = split_credential(parts["Credential"], code=_MALFORMED, prefix=_MALFORMED_PREFIX)
    return key_id, date, region, service, tuple(parts["SignedHeaders"].lower().split(";")), parts["Signature"]


def _split_components(rest: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for component in rest.split(","):
        name, equals, value = component.strip().partition("=")
        if not equals or name in parts:
            fault = f'the authorization component "{component.strip()}" is malformed.'
            raise SignatureError(_MALFORMED, _MALFORMED_PREFIX + fault)
        parts[name] = value
    if not parts.keys() >= _COMPONENTS:
        fault = "the authorization header requires three components: Credential, SignedHeaders, and Signature."
        raise SignatureError(_MALFORMED, _MALFORMED_PREFIX + fault)
    return parts
