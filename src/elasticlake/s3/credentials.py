"""Credentials: what a signed request says of its signer, read but not yet believed.

The header form and the query form are read by `sigv4` and `presigned`; this module has what they share.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal

from elasticlake.record import record

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_STREAMING = frozenset((STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER))
_is_sha256_hex = re.compile(r"[0-9a-fA-F]{64}").fullmatch
_is_date = re.compile(r"[0-9]{8}").fullmatch


class SignatureError(Exception):
    """A request's authentication is refused.

    `code` is S3's error code, `message` S3's text for it, `details` the further elements S3 puts into that error's XML,
    in order (for SignatureDoesNotMatch what the server signed; never anything but what the client itself sent).
    """

    def __init__(self, code: str, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details: dict[str, str] = dict(details or {})


@record
class Credentials:
    """The signer that a request names, and all that is needed to check the signature."""

    access_key_id: str
    date: str
    """The scope's day, YYYYMMDD; always the day of `timestamp`."""
    region: str
    """As the client chose it; any is served."""
    service: str
    signed_headers: tuple[str, ...]
    """Lower-case names in the client's order."""
    signature: str
    timestamp: str
    """The signing time as it was signed, YYYYMMDDTHHMMSSZ."""
    signed_at_ms: int
    kind: Literal["header", "query"]
    expires_seconds: int | None
    """How long a presigned URL is valid; None for the header form."""
    payload_hash: str
    """`x-amz-content-sha256` as sent: a SHA-256 in hex, UNSIGNED-PAYLOAD or one of the STREAMING- words."""

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def payload_sha256(self) -> str | None:
        """The body's promised SHA-256 in lower-case hex, or None where the signature does not cover the body whole."""
        return self.payload_hash.lower() if len(self.payload_hash) == 64 else None

    @property
    def is_streaming(self) -> bool:
        """Whether the body is aws-chunked, its framing to be removed by `chunked.ChunkedDecoder`."""
        return is_streaming(self.payload_hash)


def is_streaming(payload_hash: str) -> bool:
    """Whether a payload hash announces an aws-chunked body."""
    return payload_hash in _STREAMING


def parse_timestamp(value: str) -> int | None:
    """Milliseconds of the epoch, from ISO 8601's basic form in UTC (20130524T000000Z), the only one SigV4 signs."""
    # Others are not even remembered: whoever sends them chooses their length.
    return _read_timestamp(value) if len(value) == 16 else None


@lru_cache(maxsize=1024)
def _read_timestamp(value: str) -> int | None:
    well_formed = value[8] == "T" and value[15] == "Z" and value.isascii()
    if not (well_formed and value[:8].isdigit() and value[9:15].isdigit()):
        return None
    try:
        return int(datetime.fromisoformat(value).timestamp()) * 1000
    except ValueError:
        return None


def parse_date_header(value: str) -> int | None:
    """A `Date` header in ISO 8601's basic form or one of RFC 9110's three (section 5.6.7), else None."""
    found = parse_timestamp(value)
    if found is not None:
        return found
    try:
        return int(parsedate_to_datetime(value).replace(tzinfo=UTC).timestamp()) * 1000
    except (ValueError, TypeError, OverflowError):
        return None


def format_timestamp(time_ms: int) -> str:
    """The form that SigV4 signs."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def split_credential(credential: str, *, code: str, prefix: str) -> tuple[str, str, str, str]:
    """Access key id, date, region and service of `AKID/YYYYMMDD/REGION/s3/aws4_request`.

    Faults are looked for in S3's own order. `code` and `prefix` are those of the form that carried it.
    """
    parts = credential.split("/")
    if len(parts) != 5 or not parts[0]:
        fault = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
    elif not _is_date(parts[1]):
        fault = f'incorrect date format "{parts[1]}". This date in the credential must be in the format "yyyyMMdd".'
    elif not parts[2]:
        fault = "a non-empty region must be provided in the credential."
    elif parts[3] != "s3":
        fault = f'incorrect service "{parts[3]}". This endpoint belongs to "s3".'
    elif parts[4] != "aws4_request":
        fault = f'incorrect terminal "{parts[4]}". This endpoint uses "aws4_request".'
    else:
        return parts[0], parts[1], parts[2], parts[3]
    raise SignatureError(code, prefix + fault)


def require_signed(signed_headers: Sequence[str], headers: Mapping[bytes, bytes]) -> None:
    """Refuse a request whose `host` or any `x-amz-*` header the signature does not cover.

    Without it anybody who sees a presigned PUT could add `x-amz-copy-source` and have it run as the signer.
    """
    unsigned = [] if "host" in signed_headers else ["host"]
    for name in headers:
        if name.startswith(b"x-amz-") and (text := name.decode("latin-1")) not in signed_headers:
            unsigned.append(text)
    if unsigned:
        message = "There were headers present in the request which were not signed"
        raise SignatureError("AccessDenied", message, {"HeadersNotSigned": ", ".join(unsigned)})


def check_payload_hash(value: str) -> str:
    """The value, if `x-amz-content-sha256` may have it."""
    if value == UNSIGNED_PAYLOAD or value in _STREAMING or _is_sha256_hex(value):
        return value
    message = (
        f"x-amz-content-sha256 must be {UNSIGNED_PAYLOAD}, {STREAMING_UNSIGNED_TRAILER}, {STREAMING_SIGNED}, "
        f"{STREAMING_SIGNED_TRAILER} or a valid sha256 value."
    )
    raise SignatureError("InvalidArgument", message, {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": value})


def version_two_refused() -> SignatureError:
    """S3's answer to Signature Version 2 in the regions that never had it."""
    message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    return SignatureError("InvalidRequest", message)
