"""The demo's story: what is made, uploaded and delivered, told step by step."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from elasticlake.cli.attempt import outcome
from elasticlake.cli.client import Document, RestClient, path
from elasticlake.cli.demo.receiver import Arrival, DemoReceiver
from elasticlake.cli.demo.screen import Line, Step
from elasticlake.cli.demo.server import DemoServer
from elasticlake.cli.demo.upload import Upload, upload
from elasticlake.cli.errors import CommandFailed

LAKE, POND, SLUG = "demo", "uploads", "photos"
BUCKET = f"{LAKE}--{POND}--{SLUG}"
EVENTS = ["object:created", "object:updated", "object:deleted"]
RETRY_SCHEDULE = [1, 5, 30]
"""The first retry comes after a second: a demo's patience, not a webhook's."""
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Story:
    """Tells of one server and one receiver. Everything raises `CommandFailed`, a delivery that does not verify too."""

    server: DemoServer
    receiver: DemoReceiver
    client: RestClient

    def steps(self) -> Iterator[Step]:
        """What happens, as it happens."""
        yield self._bucket()
        yield self._webhook()
        yield from self._delivery()
        yield from self._retry()

    def _bucket(self) -> Step:
        self._make("lakes", "lake", LAKE, {"lake": LAKE, "name": "Demo"})
        self._make(f"lakes/{LAKE}/ponds", "pond", POND, {"pond": POND, "name": "Uploads"})
        self._make("buckets", "bucket", BUCKET, {"bucket": BUCKET})
        document = {"lake": LAKE, "pond": POND, "bucket": BUCKET}
        return Step("bucket", document, f"{BUCKET}, in lake {LAKE}, pond {POND}")

    def _make(self, collection: str, field: str, name: str, body: Document) -> None:
        """A folder that is kept has them from the demo before."""
        where = path(*collection.split("/"))
        if not any(item.get(field) == name for item in self.client.items(where)):
            self.client.post(where, body=body)

    def _webhook(self) -> Step:
        for earlier in list(self.client.items(path("webhooks"), params={"bucket": BUCKET})):
            self.client.delete(path("webhooks", str(earlier["id"])), f"webhook {earlier['id']}")
        body = {
            "bucket": BUCKET,
            "endpoint": self.receiver.endpoint,
            "events": EVENTS,
            "retrySchedule": RETRY_SCHEDULE,
            "name": "demo",
        }
        made = self.client.post(path("webhooks"), body=body)
        self.receiver.secret = str(made["secret"])
        document = {name: made[name] for name in ("id", "endpoint", "events", "retrySchedule")}
        headline = f"{made['id']} tells {self.receiver.endpoint}"
        return Step("webhook", document, headline, [Line(f"of {', '.join(EVENTS)}; signed with a secret")])

    def _delivery(self) -> Iterator[Step]:
        before = int(self.client.get(path("buckets", BUCKET))["sequence"])
        put = upload(self.server, BUCKET, "hello.txt", b"hello, lake\n")
        yield _uploaded(put)
        yield self._event(before)
        arrival = self._arrival()
        yield _arrived(arrival, put)
        yield self._attempts(arrival, "attempt")

    def _event(self, after: int) -> Step:
        where = path("buckets", BUCKET, "events")
        event = self.client.page(where, "", {"after": after, "wait": 5}, 5)[0]
        headline = f"{event['event']}, sequence {event['sequence']} of the bucket's log"
        return Step(
            "event", event, headline, [Line("committed together with the object: neither is without the other")]
        )

    def _retry(self) -> Iterator[Step]:
        self.receiver.failures = 1
        put = upload(self.server, BUCKET, "world.txt", b"hello again\n")
        yield _uploaded(put)
        failed = self._arrival()
        yield Step(
            "failure",
            {"answer": failed.answer, "attempt": int(failed.header("X-ElasticLake-Attempt"))},
            f"the receiver answers {failed.answer}, as if its database were away",
            [Line("nothing is lost: the delivery waits for its next attempt, about a second here", "yellow")],
        )
        again = self._arrival()
        yield _arrived(again, put, is_short=True)
        yield self._attempts(again, "attempts")

    def _arrival(self) -> Arrival:
        try:
            arrival = self.receiver.arrivals.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise CommandFailed(f"no delivery arrived within {PATIENCE_SECONDS:.0f} s") from None
        if not arrival.is_verified:
            raise CommandFailed(f"the delivery was not verified: {arrival.refusal}")
        return arrival

    def _attempts(self, arrival: Arrival, name: str) -> Step:
        """How the delivery went, as the server has it on record."""
        delivery = arrival.header("X-ElasticLake-Delivery")
        count = int(arrival.header("X-ElasticLake-Attempt"))
        found = self._eventually(
            lambda: self.client.get(path("deliveries", delivery)),
            lambda document: document["status"] == "delivered" and len(document["attemptLog"]) == count,
        )
        lines = [Line(_attempt(attempt)) for attempt in found["attemptLog"]]
        return Step(name, found, f"{found['status']}, as the server has it on record", lines)

    def _eventually(self, ask: Callable[[], Document], is_it: Callable[[Document], bool]) -> Document:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not is_it(document := ask()):
            if time.monotonic() > give_up_at:
                raise CommandFailed("the server has no record of the delivery")
            time.sleep(LOOK_SECONDS)
        return document


def told(arrival: Arrival) -> Step:
    """A delivery that came while the demo is kept running."""
    said = "signature verified" if arrival.is_verified else f"refused: {arrival.refusal}"
    about = json.loads(arrival.body) if arrival.is_verified else {}
    what = f"{about.get('event')} {(about.get('object') or {}).get('key')}" if about else "something else"
    return Step("delivery", {"verified": arrival.is_verified, "body": about}, f"{what}: {said}")


def _uploaded(put: Upload) -> Step:
    document = {"url": put.url, "bytes": put.size_bytes, "etag": put.etag, "milliseconds": _ms(put.took_seconds)}
    lines = [Line(f"200 in {_ms(put.took_seconds)} ms: {put.size_bytes} bytes on disk, etag {put.etag}")]
    return Step("upload", document, f"PUT {put.url}", lines)


def _arrived(arrival: Arrival, put: Upload, *, is_short: bool = False) -> Step:
    since_ms = _ms(arrival.at - put.began_at)
    body = json.loads(arrival.body)
    document = {
        "milliseconds": since_ms,
        "headers": dict(arrival.headers),
        "body": body,
        "verified": arrival.is_verified,
        "answer": arrival.answer,
    }
    headers = [Line(value, name=name) for name, value in arrival.headers]
    if is_short:
        headers = [line for line in headers if line.name.lower() in ("webhook-id", "x-elasticlake-attempt")]
    content = [] if is_short else [Line(line) for line in ("", *json.dumps(body, indent=2).splitlines(), "")]
    verified = Line(f"signature verified; the receiver answers {arrival.answer}", "bold green")
    return Step("delivery", document, f"arrived {since_ms} ms after the upload began", [*headers, *content, verified])


def _attempt(attempt: Document) -> str:
    names = {"dnsMs": "address", "connectMs": "connect", "tlsMs": "TLS", "firstByteMs": "answer"}
    timings = attempt.get("timings") or {}
    parts = ", ".join(f"{said} {timings[name]:.1f} ms" for name, said in names.items() if timings.get(name) is not None)
    detail = f" ({parts})" if parts else ""
    return f"{attempt['attempt']}: {outcome(attempt)} in {attempt['durationMs']:.1f} ms{detail}"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
