"""The demo's upload: S3's PutObject by a presigned URL, as any HTTP client could make it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from elasticlake.cli.demo.server import DemoServer
from elasticlake.cli.errors import CommandFailed, lost_connection

REGION = "us-east-1"
LIFE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Upload:
    """A PUT that S3 took."""

    url: str
    """Without its signature."""
    size_bytes: int
    etag: str
    began_at: float
    """By the monotonic clock, in seconds."""
    took_seconds: float


def upload(server: DemoServer, bucket: str, key: str, content: bytes) -> Upload:
    """PUT an object; raises `CommandFailed` if S3 does not take it."""
    import httpx

    from elasticlake.s3.presigned import presign

    path, host = f"/{bucket}/{key}", urlsplit(server.url).netloc
    now_ms = time.time_ns() // 1_000_000
    query = presign(
        "PUT", host, path.encode(), (), server.access_key_id, server.secret, REGION, LIFE_SECONDS, now_ms
    )  # fmt: skip
    began = time.monotonic()
    try:
        headers = {"Content-Type": "text/plain"}
        answer = httpx.put(f"{server.url}{path}?{query}", content=content, headers=headers, trust_env=False)
    except httpx.HTTPError as error:
        raise lost_connection(server.url, error) from None
    if answer.status_code != 200:
        raise CommandFailed(f"S3 refused the upload ({answer.status_code}): {answer.text}")
    took = time.monotonic() - began
    return Upload(server.url + path, len(content), answer.headers["etag"].strip('"'), began, took)
