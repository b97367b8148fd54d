"""A message that one page leaves for the next: `Bucket photos was made.` Signed, so that nobody else leaves one."""

from __future__ import annotations

from elasticlake.dashboard.sessions import Sessions

COOKIE = "elasticlake-message"
_MAX_CHARACTERS = 500


def write(sessions: Sessions, message: str) -> str:
    """The cookie's value."""
    return sessions.sign("message", message[:_MAX_CHARACTERS])


def read(sessions: Sessions, cookie: str) -> str | None:
    """The message, if we left it."""
    return sessions.verify("message", cookie)
