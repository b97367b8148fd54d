"""Webhook signatures: how a delivery proves where it comes from. Senders and receivers share these few lines.

Two headers prove the same thing. `X-ElasticLake-Signature` is ours: `sha256=` and the hex HMAC-SHA256 of the body.
`webhook-signature` is Standard Webhooks' (https://www.standardwebhooks.com): it covers the message's id and time too,
so a receiver can also refuse what is replayed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as randomness
from collections.abc import Callable, Sequence
from functools import lru_cache

SECRET_PREFIX = "whsec_"
MAX_SECRET_BYTES = 1024
GENERATED_SECRET_BYTES = 32


def page_signature(secret: str, body: bytes) -> str:
    """The value of `X-ElasticLake-Signature`: the key is the whole secret as UTF-8, a `whsec_` prefix included."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def standard_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,<base64>` entry of `webhook-signature`; `timestamp` is in whole seconds since the Unix epoch.

    Raises ValueError for a malformed `whsec_` secret. Source: Standard Webhooks, "Signature scheme".
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_bytes(secret), signed, "sha256")).decode("ascii")


def standard_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> list[tuple[str, str]]:
    """The three Standard Webhooks headers, with one signature per secret (old and new while a secret rotates)."""
    signatures = " ".join(standard_signature(secret, message_id, timestamp, body) for secret in secrets)
    return [("webhook-id", message_id), ("webhook-timestamp", str(timestamp)), ("webhook-signature", signatures)]


@lru_cache(maxsize=4096)
def secret_bytes(secret: str) -> bytes:
    """The key of the Standard signature: `whsec_<base64>` is decoded, any other secret is its UTF-8 bytes.

    Raises ValueError where what follows `whsec_` is not base64.
    """
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    # Strict on alphabet and padding: a secret that only some receivers' libraries can decode would fail at theirs.
    try:
        return base64.b64decode(secret[len(SECRET_PREFIX) :].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError(
            "A secret that starts with whsec_ must go on in padded base64 (RFC 4648, section 4)."
        ) from None


def validate_secret(secret: str) -> None:
    """Raise ValueError, with a line for its owner, unless `secret` can sign: 1 to 1,024 bytes, `whsec_` well formed."""
    try:
        size_bytes = len(secret.encode())
    except UnicodeEncodeError:
        raise ValueError("A secret must be valid Unicode text.") from None
    if not secret:
        raise ValueError("A secret must not be empty.")
    if size_bytes > MAX_SECRET_BYTES:
        raise ValueError(f"A secret has at most {MAX_SECRET_BYTES} bytes; this one has {size_bytes}.")
    if not secret_bytes(secret):
        raise ValueError("A secret must hold something after whsec_.")


def generate_secret(random_bytes: Callable[[int], bytes] = randomness.token_bytes) -> str:
    """A new secret, `whsec_<base64 of 32 random bytes>`, which every Standard Webhooks library takes as it is."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(GENERATED_SECRET_BYTES)).decode("ascii")
