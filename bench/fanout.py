"""How many deliveries a second many healthy webhooks get of the same events, while the events come."""

from collections.abc import Mapping
from itertools import count
from time import perf_counter

from bench.bed import Bed
from bench.control import Api, S3Control
from bench.inbox import Arrived, InboxClient
from bench.open_loop import CONNECTIONS, OpenLoop, run_open
from bench.result import Detail, Result
from bench.settings import Settings
from bench.stats import Percentiles, percentiles
from bench.subscriptions import records_attempts, subscribed
from bench.workloads import Puts

WEBHOOKS = 50
OBJECT_BYTES = 100


def fanout_name() -> str:
    return f"deliveries to {WEBHOOKS} webhooks"


def fanout_shape(bed: Bed, api: Api, inbox: InboxClient, settings: Settings) -> Result:
    """More PUTs a second than can be delivered; what arrives until the last PUT's answer is counted."""
    S3Control(bed.target).create_bucket(bed.bucket)
    with subscribed(api, [(bed.bucket, inbox.endpoint)] * WEBHOOKS) as webhooks:
        _open_feeds(bed, inbox)
        source = Puts(bed.requests(OBJECT_BYTES), (f"fanout/{number:09d}" for number in count()))
        bed.begin()
        inbox.reset()
        load = run_open(bed.target, source, settings.fanout_rate, settings.seconds)
        during = inbox.arrived()
        load_ended_at, expected = perf_counter(), WEBHOOKS * len(source.written)
        arrived = inbox.wait_for(expected)
        details: dict[str, Detail] = {
            **_details(load, during, arrived),
            "drainSeconds": round(max(0.0, arrived.last_at - load_ended_at), 3),
            "attemptsRecorded": records_attempts(api, webhooks[0]),
        }
        return bed.end(_result(load, during, expected - arrived.distinct, details), 0)


def _open_feeds(bed: Bed, inbox: InboxClient) -> None:
    """One event for each, so that no webhook's first read is measured."""
    inbox.reset()
    run_open(bed.target, Puts(bed.requests(OBJECT_BYTES), iter(["fanout/first"])), 1, 1)
    inbox.wait_for(WEBHOOKS)


def _result(load: OpenLoop, during: Arrived, missing: int, details: Mapping[str, Detail]) -> Result:
    return Result(
        name=fanout_name(),
        operations=max(0, during.distinct - 1),  # the first opens the interval that the others are counted in
        body_bytes=0,
        seconds=during.last_at - during.first_at,
        latency=Percentiles(),
        connections=CONNECTIONS,
        errors={**load.tally.errors, **({"delivery missing": missing} if missing > 0 else {})},
        details=details,
    )


def _details(load: OpenLoop, during: Arrived, arrived: Arrived) -> dict[str, Detail]:
    puts = percentiles(load.tally.latencies_seconds)
    return {
        "puts": len(load.tally.latencies_seconds),
        "putP50Ms": puts.p50_ms,
        "putP99Ms": puts.p99_ms,
        "deliveriesDuring": during.distinct,
        "deliveries": arrived.total,
        "deliveriesRepeated": arrived.total - arrived.distinct,
    }
