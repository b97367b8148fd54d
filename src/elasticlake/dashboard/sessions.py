"""Sessions: who a browser is, in a signed cookie. No session is stored, so every node knows it and a restart ends none.

A session ends by its time, or when what it was opened with changes: it is bound to the password, or to the access key's
secret. Signing out takes the cookie from the browser; a copy of it is good until then.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

from elasticlake.clock import Clock
from elasticlake.record import record

COOKIE = "elasticlake-session"
LIFE_SECONDS = 12 * 3600
RENEW_SECONDS = LIFE_SECONDS // 2
PASSWORD = ":password"
"""The subject of a session that was opened with the dashboard's password: no access key can have such an id."""
ABSOLUTE_SECONDS = 7 * 86_400
"""However much it is used, a session ends."""
_MAC_BYTES = 32


@record
class Session:
    """Who signed in (`subject`: the password, or an access key's id), bound to what with, until when."""

    id: str
    subject: str
    bound_to: str
    expires_at_ms: int
    began_at_ms: int


class Sessions:
    """Makes sessions, and reads back what it has signed. `key` is 32 secret bytes that all nodes share."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def open(self, subject: str, secret: str) -> Session:
        """A new session, whose id nobody can have known before (no fixation)."""
        now_ms = self._clock.now_ms()
        binding = self._binding(subject, secret)
        return Session(secrets.token_urlsafe(16), subject, binding, now_ms + LIFE_SECONDS * 1000, now_ms)

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def renewed(self, session: Session) -> Session | None:
        """The session with its whole life again, once half of it has passed; None before, and in its last days."""
        now_ms = self._clock.now_ms()
        end_ms = min(now_ms + LIFE_SECONDS * 1000, session.began_at_ms + ABSOLUTE_SECONDS * 1000)
        if session.expires_at_ms - now_ms > RENEW_SECONDS * 1000 or end_ms <= session.expires_at_ms:
            return None
        return replace(session, expires_at_ms=end_ms)

    def holds(self, session: Session, secret: str) -> bool:
        """Whether `secret` is what the session was opened with."""
        return hmac.compare_digest(session.bound_to, self._binding(session.subject, secret))

    def seal(self, session: Session) -> str:
        """The cookie's value."""
        members = [session.id, session.subject, session.bound_to, session.expires_at_ms, session.began_at_ms]
        return self.sign("session", json.dumps(members, separators=(",", ":")))

    def unseal(self, cookie: str) -> Session | None:
        """The session of a cookie; None if we did not sign it, if its time is over, or if it is another version's."""
        text = self.verify("session", cookie)
        if text is None:
            return None
        try:
            session = Session(*json.loads(text))
        except TypeError:
            # Another version's.
            return None
        return session if session.expires_at_ms > self._clock.now_ms() else None

    def csrf_token(self, session: Session) -> str:
        """What every form of the session's pages carries, and no other site can know."""
        return self._mac("csrf", session.id.encode()).hex()

    def sign(self, purpose: str, text: str) -> str:
        """`text` with a signature that holds for one purpose alone, fit for a cookie."""
        data = text.encode()
        return urlsafe_b64encode(self._mac(purpose, data) + data).decode().rstrip("=")

    def verify(self, purpose: str, value: str) -> str | None:
        """The text that `sign` made this of; None for anything else."""
        try:
            raw = urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))
        except ValueError:
            return None
        mac, data = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        return data.decode() if hmac.compare_digest(mac, self._mac(purpose, data)) else None

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only who holds the key can have, others for every purpose."""
        return self._mac("derived", purpose.encode())

    def _binding(self, subject: str, secret: str) -> str:
        return self._mac("secret", f"{subject}\0{secret}".encode()).hex()[:32]

    def _mac(self, purpose: str, data: bytes) -> bytes:
        return hmac.digest(self._key, purpose.encode() + b"\0" + data, "sha256")
