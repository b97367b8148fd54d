"""How many deliveries a second one fast receiver gets out of a backlog."""

from itertools import count
from time import perf_counter

from bench.bed import Bed
from bench.client import Request
from bench.closed_loop import run_closed
from bench.control import Api, S3Control
from bench.inbox import Arrived, InboxClient
from bench.result import OPERATIONS, Detail, Limit, Result
from bench.settings import Settings
from bench.shapes import ENOUGH_SECONDS, FILL_CONNECTIONS
from bench.stats import Percentiles
from bench.target import Target
from bench.workloads import Puts

RECEIVER_LIMIT = "receiver alone"
OBJECT_BYTES = 100


def delivery_name(*, history: bool) -> str:
    return f"deliveries, history {'on' if history else 'off'}"


def delivery_shape(bed: Bed, api: Api, inbox: InboxClient, settings: Settings, *, history: bool) -> Result:
    """Disable a webhook, put a backlog, enable it: its position stayed, so it delivers everything at once."""
    S3Control(bed.target).create_bucket(bed.bucket)
    webhook = api.create_webhook(bed.bucket, inbox.endpoint)
    api.set_status(webhook, "disabled")
    source = Puts(bed.requests(OBJECT_BYTES), (f"backlog/{number:09d}" for number in range(settings.backlog)))
    inbox.reset()
    errors = run_closed(bed.target, source, FILL_CONNECTIONS, ENOUGH_SECONDS).errors
    expected = len(source.written)
    if early := inbox.arrived().distinct:
        errors["delivered while disabled"] = early
    bed.begin()
    enabled_at = perf_counter()
    api.set_status(webhook, "enabled")
    arrived = inbox.wait_for(expected)
    details = _details(api, webhook, arrived, enabled_at)
    api.delete_webhook(webhook)
    result = Result(
        name=delivery_name(history=history),
        operations=max(0, arrived.distinct - 1),  # the first opens the interval that the others are counted in
        body_bytes=0,
        seconds=arrived.last_at - arrived.first_at,
        latency=Percentiles(),
        errors=dict(errors),
        limits=(RECEIVER_LIMIT,),
        details=details,
    )
    return bed.end(result, expected)


def _details(api: Api, webhook: str, arrived: Arrived, enabled_at: float) -> dict[str, Detail]:
    recorded = api.call("GET", f"/v1/webhooks/{webhook}/deliveries?status=delivered&limit=1").get("items", [])
    return {
        "deliveries": arrived.total,
        "firstAfterEnableMs": round((arrived.first_at - enabled_at) * 1e3, 1),
        "attemptsRecorded": bool(recorded),
    }


class Posts:
    """Deliveries as our own generator would make them, to find what the receiver can take."""

    def __init__(self, target: Target) -> None:
        self._numbers = count()
        self._host = target.authority
        self._body = b"{" + b" " * 500 + b"}"

    def next(self) -> Request | None:
        head = (
            f"POST /webhook HTTP/1.1\r\nhost: {self._host}\r\nwebhook-id: bench-{next(self._numbers)}\r\n"
            f"content-length: {len(self._body)}\r\n\r\n"
        )
        return Request("POST", "", head.encode(), self._body)

    def done(self, request: Request, succeeded: bool) -> None:
        """Nothing to remember."""


def receiver_limit(inbox: InboxClient, seconds: float) -> Limit:
    """What the receiver answers to 32 connections of the generator's: no server can deliver faster to it."""
    target = inbox.target
    tally = run_closed(target, Posts(target), FILL_CONNECTIONS, seconds)
    return Limit(RECEIVER_LIMIT, len(tally.latencies_seconds) / tally.elapsed_seconds, OPERATIONS)
