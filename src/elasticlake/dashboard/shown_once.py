"""A secret that is shown once: sealed in a cookie from the form that made it to the page that shows it, and nowhere
else. Nobody can read it there, and no log or database holds it (I8)."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from elasticlake.dashboard.sessions import Sessions

COOKIE = "elasticlake-once"
LIFE_SECONDS = 120
_NONCE_BYTES = 12


def seal(sessions: Sessions, secret: str) -> str:
    """The cookie's value."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return urlsafe_b64encode(nonce + _cipher(sessions).encrypt(nonce, secret.encode(), None)).decode().rstrip("=")


def open(sessions: Sessions, cookie: str) -> str | None:
    """The secret that `seal` made this of; None for anything else."""
    try:
        raw = urlsafe_b64decode(cookie.encode("ascii") + b"=" * (-len(cookie) % 4))
        return _cipher(sessions).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
    except (InvalidTag, ValueError):
        return None


def _cipher(sessions: Sessions) -> AESGCM:
    return AESGCM(sessions.derive("shown-once"))
