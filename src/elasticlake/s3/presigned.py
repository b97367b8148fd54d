"""Presigned URLs: requests signed in the query string, read and made.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API Reference.
"""

import re
from collections.abc import Iterable, Mapping

from elasticlake.s3.canonical import (
    ALGORITHM,
    canonical_request,
    encode_query,
    hmac_hex,
    string_to_sign,
)
from elasticlake.s3.credentials import (
    UNSIGNED_PAYLOAD,
    Credentials,
    SignatureError,
    check_payload_hash,
    format_timestamp,
    parse_timestamp,
    require_signed,
    split_credential,
)
from elasticlake.s3.signing_keys import signing_key

MAX_EXPIRES_SECONDS = 604_800
"""A presigned URL lives a week at most."""

_CODE = "AuthorizationQueryParametersError"
_REQUIRED = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires")
_is_number = re.compile(r"-?[0-9]{1,18}").fullmatch


def parse_query(parameters: Mapping[str, str], headers: Mapping[bytes, bytes]) -> Credentials:
    """Read the query form, in the order of checks that S3 makes.

    Raises SignatureError: AuthorizationQueryParametersError for a malformed parameter, AccessDenied for a header that
    had to be signed, InvalidArgument for an impossible payload hash.
    """
    _require_parameters(parameters)
    timestamp = parameters["X-Amz-Date"]
    signed_at_ms = parse_timestamp(timestamp)
    if signed_at_ms is None:
        raise SignatureError(_CODE, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    expires_seconds = _parse_expires(parameters["X-Amz-Expires"])
    prefix = "Error parsing the X-Amz-Credential parameter; "
    key_id, date, region, service = split_credential(parameters["X-Amz-Credential"], code=_CODE, prefix=prefix)
    if date != timestamp[:8]:
        message = f'Invalid credential date "{date}". This date is not the same as X-Amz-Date: "{timestamp[:8]}".'
        raise SignatureError(_CODE, message)
    signed_headers = tuple(parameters["X-Amz-SignedHeaders"].lower().split(";"))
    require_signed(signed_headers, headers)
    signature = parameters["X-Amz-Signature"]
    return Credentials(
        key_id, date, region, service, signed_headers, signature, timestamp, signed_at_ms,
        "query", expires_seconds, _payload_hash(parameters, headers),
    )  # fmt: skip


def presign(
    method: str,
    host: str,
    raw_path: bytes,
    query: Iterable[tuple[str, str]],
    access_key_id: str,
    secret: str,
    region: str,
    expires_seconds: int,
    now_ms: int,
) -> str:
    """The query string of a URL that lets its holder make this one request until `expires_seconds` after `now_ms`.

    `raw_path` is the path as it stands in the URL, encoded; `query` holds the request's own parameters, decoded. `host`
    names the port where it is not the scheme's own. Raises ValueError for a lifetime that S3 refuses.
    """
    if not 1 <= expires_seconds <= MAX_EXPIRES_SECONDS:
        raise ValueError(f"a presigned URL lives 1 to {MAX_EXPIRES_SECONDS} seconds, not {expires_seconds}")
    timestamp = format_timestamp(now_ms)
    scope = f"{timestamp[:8]}/{region}/s3/aws4_request"
    signing = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{access_key_id}/{scope}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": str(expires_seconds),
        "X-Amz-SignedHeaders": "host",
    }
    encoded = encode_query((name.encode(), value.encode()) for name, value in (*query, *signing.items()))
    request = canonical_request(method, raw_path, encoded, {b"host": host.encode()}, ("host",), UNSIGNED_PAYLOAD)
    key = signing_key(secret, timestamp[:8], region)
    signature = hmac_hex(key, string_to_sign(timestamp, scope, request))
    return f"{encoded.decode('ascii')}&X-Amz-Signature={signature}"


def _require_parameters(parameters: Mapping[str, str]) -> None:
    if parameters.get("X-Amz-Algorithm", ALGORITHM) != ALGORITHM:
        raise SignatureError(_CODE, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    if "X-Amz-Algorithm" not in parameters or any(name not in parameters for name in _REQUIRED):
        message = (
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
        raise SignatureError(_CODE, message)


def _parse_expires(value: str) -> int:
    if not _is_number(value):
        raise SignatureError(_CODE, "X-Amz-Expires should be a number")
    seconds = int(value)
    if seconds < 0:
        raise SignatureError(_CODE, "X-Amz-Expires must be non-negative")
    if seconds > MAX_EXPIRES_SECONDS:
        message = (
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{MAX_EXPIRES_SECONDS} seconds"
        )
        raise SignatureError(_CODE, message)
    return seconds


def _payload_hash(parameters: Mapping[str, str], headers: Mapping[bytes, bytes]) -> str:
    """The header, which is signed where it is present, before the parameter; both are rare on presigned URLs."""
    header = headers.get(b"x-amz-content-sha256")
    if header is not None:
        return check_payload_hash(header.strip().decode("latin-1"))
    return check_payload_hash(parameters.get("X-Amz-Content-Sha256", UNSIGNED_PAYLOAD))
