"""Requests of S3 that a browser makes itself: their URLs, signed by the viewer's key.

A browser changes some paths before it asks: `.` and `..` are steps to it, however they are written (URL standard,
"path state"). Objects whose keys have such segments have no URL that a browser could use.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from elasticlake.dashboard.visit import Visit
from elasticlake.model.s3_records import REGION

LIVES = {900: "15 minutes", 3600: "1 hour", 86_400: "1 day", 604_800: "7 days"}
"""For how long a link may be good, in seconds."""
SOON_SECONDS = 900
"""What a page's own requests get: they are begun at once."""


def is_browsable(key: bytes) -> bool:
    """Whether a browser asks for the key that its URL names."""
    return not any(segment in (b".", b"..") for segment in key.split(b"/"))


def signed_url(
    visit: Visit, method: str, key: bytes, query: Iterable[tuple[str, str]], seconds: int = SOON_SECONDS
) -> str:
    """The path and query of a request to the bucket of this page, good for `seconds`."""
    path = f"/{visit.path('bucket')}/{quote(key, safe='/~')}"
    host, signer = visit.request.headers["host"], visit.viewer.key
    now_ms = visit.services.clock.now_ms()
    signed = visit.services.presign(
        method, host, path.encode(), query, signer.id, signer.secret, REGION, seconds, now_ms
    )
    return f"{path}?{signed}"
