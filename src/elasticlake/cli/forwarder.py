"""Events on their way to a developer's own endpoint: the request that a webhook would make, made from here."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from elasticlake import __version__
from elasticlake.cli.client import Document
from elasticlake.cli.connection import is_loopback
from elasticlake.model.delivery_headers import delivery_headers, standing_headers
from elasticlake.model.ids import DeliveryId, new_webhook_id
from elasticlake.model.webhooks import DEFAULT_TIMEOUT_SECONDS

ANSWER_CAP_BYTES = 64 * 1024
# The system's errors come as "[Errno 111] Connection refused".
ERROR_NUMBER = re.compile(r"^\[Errno -?\d+\] ")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the endpoint answered: a status, or else what went wrong."""

    status_code: int | None
    error: str | None
    duration_ms: float

    def document(self, endpoint: str) -> Document:
        duration_ms = round(self.duration_ms, 1)
        return {"endpoint": endpoint, "statusCode": self.status_code, "error": self.error, "durationMs": duration_ms}


@dataclass(slots=True)
class Forwarder:
    """Sends each event once, with the headers and the body of a delivery of a webhook that exists here alone."""

    endpoint: str
    secret: str = field(repr=False)
    _webhook_id: str = field(default_factory=new_webhook_id)
    _buckets: dict[str, int] = field(default_factory=dict)
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        # A proxy from the environment cannot reach this machine's own loopback.
        trusts_environment = not is_loopback(urlsplit(self.endpoint).hostname or "")
        self._http = httpx.Client(trust_env=trusts_environment, timeout=DEFAULT_TIMEOUT_SECONDS)

    def send(self, event: Document, body: bytes) -> Outcome:
        """POST the body, which is the event's document; whatever the endpoint does is an outcome."""
        headers = [*standing_headers(__version__), *self._headers(event, body)]
        started = time.monotonic()
        try:
            with self._http.stream("POST", self.endpoint, content=body, headers=headers) as response:
                _read_capped(response)
            return Outcome(response.status_code, None, _since(started))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Outcome(None, ERROR_NUMBER.sub("", str(error)) or type(error).__name__, _since(started))

    def close(self) -> None:
        self._http.close()

    def _headers(self, event: Document, body: bytes) -> list[tuple[str, str]]:
        # What a delivery's id says of its bucket is an internal number; here the buckets are counted as they come.
        bucket = self._buckets.setdefault(str(event["bucket"]), len(self._buckets) + 1)
        delivery_id = DeliveryId(self._webhook_id, bucket, int(event["sequence"]))
        now_ms = time.time_ns() // 1_000_000
        return delivery_headers(event["event"], event["id"], delivery_id, 1, (self.secret,), now_ms, body)


def _read_capped(response: httpx.Response) -> None:
    read_bytes = 0
    for chunk in response.iter_raw():
        read_bytes += len(chunk)
        if read_bytes > ANSWER_CAP_BYTES:
            return


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
