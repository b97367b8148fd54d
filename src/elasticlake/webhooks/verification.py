"""Verifying a delivery: that it was made by who knows the secret, of just these bytes, just now.

Source: Standard Webhooks, "Verifying webhook authenticity" (https://www.standardwebhooks.com).
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from elasticlake.signing import page_signature, standard_signature, validate_secret
from elasticlake.webhooks.errors import (
    FutureTimestamp,
    InvalidSecret,
    MalformedHeader,
    SignatureMismatch,
    StaleTimestamp,
)
from elasticlake.webhooks.headers import MESSAGE_ID, PAGE_SIGNATURE, SIGNATURE, TIMESTAMP, Fields, Headers

Scheme = Literal["standard", "elasticlake"]
"""`standard`: the three headers of Standard Webhooks, which cover the time. `elasticlake`: `X-ElasticLake-Signature`,
which covers the body alone, so whoever has seen a delivery can send it again at any time."""

STANDARD_ALONE: tuple[Scheme, ...] = ("standard",)
TOLERANCE_SECONDS = 300.0
MAX_SIGNATURES = 64
"""In one header. A sender has one for each of its live secrets, so two."""

_HEADERS: dict[Scheme, tuple[str, ...]] = {
    "standard": (MESSAGE_ID, TIMESTAMP, SIGNATURE),
    "elasticlake": (PAGE_SIGNATURE,),
}
# Without a full stop, which divides what is signed: else one text could be read as another id, time and body.
_is_message_id = re.compile(r"[!-\-/-~]{1,256}").fullmatch
_is_timestamp = re.compile(r"0|[1-9][0-9]{0,11}").fullmatch


def verify(
    body: bytes,
    headers: Headers,
    secrets: str | Iterable[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
    schemes: Sequence[Scheme] = STANDARD_ALONE,
) -> None:
    """Return if `headers` prove that `body`, the bytes as they came, was signed with one of the live `secrets`.

    Of the `schemes`, the first whose headers are there decides. Naming `elasticlake` gives up the protection against
    replays, whatever else is named: headers can be taken away. `now` is in seconds since 1970.

    Raises:
        WebhookVerificationError: it is not proven; the subclass says why.
        TypeError: the body is not bytes.
    """
    verified_id(body, Fields.of(headers), live_secrets(secrets), tolerance_seconds, now, schemes)


def verified_id(
    body: bytes,
    fields: Fields,
    secrets: Sequence[str],
    tolerance_seconds: float,
    now: float | None,
    schemes: Sequence[Scheme],
) -> str | None:
    """As `verify`; the message's id, or None where the scheme that decided does not cover it."""
    if not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError(f"The body is the bytes that were received, not {type(body).__name__}.")
    if _deciding(require_schemes(schemes), fields) == "elasticlake":
        _require_page_signature(bytes(body), fields, secrets)
        return None
    return _require_standard_signature(bytes(body), fields, secrets, tolerance_seconds, now)


def live_secrets(secrets: str | Iterable[str]) -> tuple[str, ...]:
    """One or several, each fit to sign; raises `InvalidSecret`."""
    found = (secrets,) if isinstance(secrets, str | bytes) else tuple(secrets)
    if not found:
        raise InvalidSecret
    for secret in found:
        if not isinstance(secret, str):
            raise InvalidSecret(f"A secret is text, not {type(secret).__name__}.")
        try:
            validate_secret(secret)
        except ValueError as error:
            raise InvalidSecret(str(error)) from None
    return found


def require_schemes(schemes: Sequence[Scheme]) -> Sequence[Scheme]:
    """`schemes`, if there are such; raises ValueError."""
    known = get_args(Scheme)
    if isinstance(schemes, str) or not schemes or any(scheme not in known for scheme in schemes):
        raise ValueError(f"The schemes are some of {', '.join(known)}, not {schemes!r}.")
    return schemes


def _deciding(schemes: Sequence[Scheme], fields: Fields) -> Scheme:
    return next((scheme for scheme in schemes if fields.has_any(_HEADERS[scheme])), schemes[0])


def _require_page_signature(body: bytes, fields: Fields, secrets: Sequence[str]) -> None:
    given = fields.single(PAGE_SIGNATURE)
    if not _any_equal([page_signature(secret, body) for secret in secrets], [given]):
        raise SignatureMismatch


def _require_standard_signature(
    body: bytes, fields: Fields, secrets: Sequence[str], tolerance_seconds: float, now: float | None
) -> str:
    message_id, timestamp, given = fields.single(MESSAGE_ID), fields.single(TIMESTAMP), fields.single(SIGNATURE)
    if not _is_message_id(message_id):
        raise MalformedHeader(MESSAGE_ID)
    if not _is_timestamp(timestamp):
        raise MalformedHeader(TIMESTAMP)
    _require_recent(int(timestamp), tolerance_seconds, time.time() if now is None else now)
    expected = [standard_signature(secret, message_id, int(timestamp), body) for secret in secrets]
    if not _any_equal(expected, _signatures(given)):
        raise SignatureMismatch
    return message_id


def _require_recent(timestamp: int, tolerance_seconds: float, now: float) -> None:
    age_seconds = now - timestamp
    if age_seconds > tolerance_seconds:
        raise StaleTimestamp(age_seconds)
    if -age_seconds > tolerance_seconds:
        raise FutureTimestamp(age_seconds)


def _signatures(given: str) -> list[str]:
    entries = given.split(" ", MAX_SIGNATURES)
    if len(entries) > MAX_SIGNATURES:
        raise MalformedHeader(SIGNATURE, f"has more than {MAX_SIGNATURES} signatures")
    signatures = [entry for entry in entries if entry.startswith("v1,")]
    if not signatures:
        raise SignatureMismatch(f"The header {SIGNATURE} has no signature of the scheme v1.")
    return signatures


def _any_equal(expected: Iterable[str], given: Sequence[str]) -> bool:
    """Each is compared with each, whatever was found before: how long it takes says nothing of which."""
    found = False
    for signature in expected:
        for candidate in given:
            found |= hmac.compare_digest(signature, candidate)
    return found
