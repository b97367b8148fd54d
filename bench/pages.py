"""Every page of the dashboard, over many objects and a long history of attempts."""

import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from urllib.parse import urlencode

from bench.bed import Bed
from bench.control import Api, S3Control
from bench.result import Result, from_tally
from bench.server import Server
from bench.settings import Settings
from bench.shapes import fill
from bench.stats import Tally
from elasticlake.metadata.history import Attempt, HistoryWriter

REPEATS = 15
WEBHOOKS = 5
"""On the one bucket; the history is theirs in equal parts."""
FOLDERS = 100
BATCH = 5_000
HISTORY_HOURS = 20
FAILED_IN = 20
"""One attempt in so many failed."""
_HEADERS = (("Content-Type", "application/json"), ("X-ElasticLake-Event", "object:created"), ("webhook-id", "evt_x"))
_BODY = b'{"event":"object:created","timestamp":"2026-01-02T03:04:05Z","bucket":"lake1--pond1--my-bucket"}'


def pages_name(path: str) -> str:
    return f"page {path}"


def pages_shape(server: Server, api: Api, settings: Settings, data: Path) -> Iterator[Result]:
    """Fill a bucket and the history of a server on SQLite with its data in `data`; then time each page."""
    bucket = f"lake1--pond1--pages-{secrets.token_hex(2)}"
    bed = Bed(server.target, bucket)
    S3Control(server.target).create_bucket(bucket)
    # They never call anybody: what they have behind them is written, and what is before them waits.
    webhooks = [api.create_webhook(bucket, f"http://127.0.0.1:1/{number}") for number in range(WEBHOOKS)]
    for webhook in webhooks:
        api.set_status(webhook, "disabled")
    keys = [f"f{number % FOLDERS:02d}/{number:09d}.txt" for number in range(settings.page_objects)]
    fill(bed, 100, iter(keys))
    write_history(data, bucket, webhooks, settings.page_attempts, settings.page_objects)
    visitor = Visitor(server)
    for path in page_paths(bucket, keys, webhooks):
        tally = Tally()
        for _ in range(REPEATS):
            visitor.look(path, tally)
        details = {"objects": settings.page_objects, "attempts": settings.page_attempts}
        name = path.replace(bucket, "BUCKET").replace(webhooks[0], "WEBHOOK").partition("&cursor")[0]
        yield from_tally(pages_name(name), tally, details=details)


def page_paths(bucket: str, keys: list[str], webhooks: list[str]) -> list[str]:
    """Every page that shows what there may be much of."""
    key = urlencode({"key": keys[len(keys) // 2]})
    middle = urlencode({"prefix": keys[len(keys) // 2].partition("/")[0] + "/"})
    webhook = f"/ui/webhooks/{webhooks[0]}"
    return [
        "/ui/", "/ui/lakes/lake1", "/ui/buckets?pond=lake1--pond1", f"/ui/buckets/{bucket}",
        f"/ui/buckets/{bucket}?{middle}", f"/ui/buckets/{bucket}?search={keys[-1][:6]}",
        f"/ui/buckets/{bucket}/object?{key}", f"/ui/buckets/{bucket}/settings", f"/ui/buckets/{bucket}/settings/access",
        f"/ui/buckets/{bucket}/settings/webhooks", "/ui/webhooks", f"/ui/webhooks/new?bucket={bucket}", webhook,
        f"{webhook}?status=delivered", f"{webhook}?status=dead", f"{webhook}?status=pending", f"{webhook}?code=5xx",
        f"{webhook}?{key}", f"{webhook}/edit", "/ui/keys", "/ui/accounts", "/ui/tokens", "/ui/activity", "/ui/system",
        "/ui/start",
    ]  # fmt: skip


def write_history(data: Path, bucket: str, webhooks: list[str], attempts: int, events: int) -> None:
    """Attempts of the bucket's first events, spread evenly over the webhooks and the last hours."""
    with closing(sqlite3.connect(f"file:{data / 'metadata.db'}?mode=ro", uri=True)) as core:
        bucket_id = int(core.execute("SELECT id FROM buckets WHERE name = ?", (bucket,)).fetchone()[0])
    writer = HistoryWriter(data / "history")
    step_ms = HISTORY_HOURS * 3_600_000 / attempts
    began_ms = time.time() * 1000 - HISTORY_HOURS * 3_600_000
    for first in range(0, attempts, BATCH):
        made = []
        for number in range(first, min(first + BATCH, attempts)):
            webhook, started_at_ms = webhooks[number % WEBHOOKS], int(began_ms + number * step_ms)
            made.append(_attempt(webhook, bucket_id, number // WEBHOOKS, events, started_at_ms))
        writer.append(made)
    writer.close()


def _attempt(webhook: str, bucket_id: int, number: int, events: int, started_at_ms: int) -> Attempt:
    sequence, failed = 1 + number % events, number % FAILED_IN == 0
    return Attempt(
        webhook_id=webhook,
        bucket_id=bucket_id,
        sequence=sequence,
        generation=0,
        attempt=1,
        event_id=f"evt_{sequence:024d}",
        event="object:created",
        key=f"f{(sequence - 1) % FOLDERS:02d}/{sequence - 1:09d}.txt".encode(),
        started_at_ms=started_at_ms,
        duration_ms=1 + number % 300,
        status_code=500 if failed else 200,
        error_class="server_error" if failed else None,
        error="500 Internal Server Error" if failed else None,
        request_headers=_HEADERS,
        request_body=_BODY,
        response_headers=(("Content-Type", "text/plain"),),
        response_body=b"OK",
        status="retrying" if failed else "delivered",
        next_attempt_at_ms=None,
    )


class Visitor:
    """A browser's requests, on one connection."""

    def __init__(self, server: Server) -> None:
        target = server.target
        self._connection = HTTPConnection(target.host, target.port, timeout=60)
        form = urlencode({"user": target.access_key, "password": target.secret_key})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/ui/sign-in", form, headers)
        answer = self._connection.getresponse()
        answer.read()
        found = re.match(r"[^;]+", answer.getheader("set-cookie") or "")
        self._cookie = found[0] if found else ""

    def look(self, path: str, tally: Tally) -> None:
        """Ask for a page; anything but the page itself is a failure."""
        began = perf_counter()
        self._connection.request("GET", path, headers={"Cookie": self._cookie})
        answer = self._connection.getresponse()
        body = answer.read()
        seconds = perf_counter() - began
        tally.elapsed_seconds += seconds
        if answer.status == 200:
            tally.succeeded(seconds, len(body))
        else:
            tally.failed(str(answer.status))
