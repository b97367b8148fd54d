"""AWS Signature Version 4 in the Authorization header, made cheap for a load generator.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
The payload is never hashed (UNSIGNED-PAYLOAD): otherwise the generator would measure its own SHA-256.
"""

import hmac
import time
from collections.abc import Callable
from hashlib import sha256

from bench.target import Target

SIGNED_HEADERS = "host;x-amz-content-sha256;x-amz-date"
PAYLOAD = "UNSIGNED-PAYLOAD"


class Signer:
    """Makes signed request heads. Everything but the signature itself is prepared once a second."""

    __slots__ = (
        "_authorization",
        "_canonical_tail",
        "_head_tail",
        "_key",
        "_key_day",
        "_now",
        "_second",
        "_string_to_sign",
        "_target",
    )

    def __init__(self, target: Target, now: Callable[[], float] = time.time) -> None:
        self._target = target
        self._now = now
        self._second = -1
        self._key_day = ""
        self._key = b""

    def head(self, method: str, path: str, query: str = "", content_length: int | None = None) -> bytes:
        """A complete request head, blank line included.

        `path` and `query` are sent and signed as given: percent-encoded, the query in canonical order.
        """
        second = int(self._now())
        if second != self._second:
            self._prepare(second)
        canonical = f"{method}\n{path}\n{query}{self._canonical_tail}"
        to_sign = self._string_to_sign + sha256(canonical.encode()).hexdigest()
        signature = hmac.digest(self._key, to_sign.encode(), "sha256").hex()
        target = f"{path}?{query}" if query else path
        length = "" if content_length is None else f"content-length: {content_length}\r\n"
        return f"{method} {target}{self._authorization}{signature}{self._head_tail}{length}\r\n".encode("ascii")

    def _prepare(self, second: int) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        day, host = stamp[:8], self._target.authority
        if day != self._key_day:
            self._key, self._key_day = _signing_key(self._target.secret_key, day, self._target.region), day
        scope = f"{day}/{self._target.region}/s3/aws4_request"
        self._canonical_tail = (
            f"\nhost:{host}\nx-amz-content-sha256:{PAYLOAD}\nx-amz-date:{stamp}\n\n{SIGNED_HEADERS}\n{PAYLOAD}"
        )
        self._string_to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n"
        credential = f"{self._target.access_key}/{scope}"
        self._authorization = (
            f" HTTP/1.1\r\nhost: {host}\r\nauthorization: AWS4-HMAC-SHA256 Credential={credential}, "
            f"SignedHeaders={SIGNED_HEADERS}, Signature="
        )
        self._head_tail = f"\r\nx-amz-content-sha256: {PAYLOAD}\r\nx-amz-date: {stamp}\r\n"
        self._second = second


def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
