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


def seal(sessions: Sessions, secret: str, page: str) -> str:
    """The cookie's value; `page` names the session and the path that may show it."""
    nonce, until_ms = secrets.token_bytes(_NONCE_BYTES), sessions.now_ms() + LIFE_SECONDS * 1000
    sealed = _cipher(sessions).encrypt(nonce, f"{until_ms}:{secret}".encode(), page.encode())
    return urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def open(sessions: Sessions, cookie: str, page: str) -> str | None:
    """The secret that `seal` made this of for that page, in time; None for anything else."""
    try:
        raw = urlsafe_b64decode(cookie.encode("ascii") + b"=" * (-len(cookie) % 4))
        opened = _cipher(sessions).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], page.encode()).decode()
    except (InvalidTag, ValueError):
        return None
    until_ms, _, secret = opened.partition(":")
    return secret if int(until_ms) > sessions.now_ms() else None


def _cipher(sessions: Sessions) -> AESGCM:
    return AESGCM(sessions.derive("shown-once"))
