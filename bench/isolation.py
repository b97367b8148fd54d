"""Whether endpoints that hang, drip, refuse, hang up or cannot be found slow the others down.

120 webhooks, each on a bucket of its own. The same PUTs are made all the time: first with the sick webhooks disabled,
then with them enabled, so that they also have a backlog, then disabled again. The healthy ones' latency is compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from bench.bed import Bed
from bench.control import Api, S3Control
from bench.exposition import IN_FLIGHT, OPEN_BREAKERS, total
from bench.inbox import InboxClient
from bench.latency import after, first_arrivals
from bench.open_loop import CONNECTIONS, OpenLoop, run_open
from bench.result import Detail, Result
from bench.settings import Settings
from bench.sick import SICK_WEBHOOKS, SickEndpoints
from bench.side_by_side import ratio
from bench.stats import percentiles
from bench.subscriptions import set_all, subscribed
from bench.workloads import SpreadPuts

WEBHOOKS = 120
SICK = sum(SICK_WEBHOOKS.values())
HEALTHY = WEBHOOKS - SICK
DELIVERIES_PER_SECOND = 500
"""To the healthy ones in all; the sick ones' buckets get their events at the same rate for each."""
PUTS_PER_SECOND = DELIVERIES_PER_SECOND * WEBHOOKS / HEALTHY
BUCKETS = tuple(f"{number:03d}" for number in range(WEBHOOKS))
WARM_UP_SECONDS = 2.0
OBJECT_BYTES = 100


def isolation_name(*, sick: bool) -> str:
    return f"event latency, {HEALTHY} webhooks {f'beside {SICK} sick' if sick else 'alone'}"


@dataclass(slots=True)
class Phases:
    """What the healthy ones' deliveries took, over the phases of one kind; seconds."""

    from_ack: list[float] = field(default_factory=list)
    from_sent: list[float] = field(default_factory=list)
    puts: list[float] = field(default_factory=list)
    seconds: float = 0.0
    repeated: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def fail(self, label: str, count: int) -> None:
        if count > 0:
            self.errors[label] = self.errors.get(label, 0) + count


def isolation_shape(
    bed: Bed, api: Api, inbox: InboxClient, sick: SickEndpoints, settings: Settings
) -> Iterator[Result]:
    """The healthy ones alone, and beside the sick."""
    beds = [replace(bed, bucket=f"{bed.bucket}-{use}") for use in BUCKETS]
    for one in beds:
        S3Control(one.target).create_bucket(one.bucket)
    endpoints = [inbox.endpoint] * HEALTHY + sick.urls(SICK_WEBHOOKS)
    alone, beside, unmeasured, half = Phases(), Phases(), Phases(), settings.isolation_seconds / 2
    with subscribed(api, zip([one.bucket for one in beds], endpoints, strict=True)) as webhooks:
        set_all(api, webhooks[HEALTHY:], "disabled")
        _phase(beds, inbox, "warm-up", WARM_UP_SECONDS, unmeasured)
        _phase(beds, inbox, "before", half, alone)
        set_all(api, webhooks[HEALTHY:], "enabled")
        _phase(beds, inbox, "beside", settings.isolation_seconds, beside)
        held = _held(api, sick)
        set_all(api, webhooks[HEALTHY:], "disabled")
        _phase(beds, inbox, "after", half, alone)
    result = _result(isolation_name(sick=False), alone, {})
    yield result
    p99_ratio = ratio(percentiles(beside.from_ack).p99_ms, result.latency.p99_ms)
    yield _result(isolation_name(sick=True), beside, {"p99ToAloneRatio": p99_ratio, **held})


def _held(api: Api, sick: SickEndpoints) -> dict[str, Detail]:
    """How the sick ones stand: what they were asked, and what they hold of the dispatcher (a few seconds ago)."""
    metrics = api.metrics()
    requests: dict[str, Detail] = {f"{kind}Requests": count for kind, count in sick.seen().items()}
    return {**requests, "breakersOpen": total(metrics, OPEN_BREAKERS), "attemptsInFlight": total(metrics, IN_FLIGHT)}


def _phase(beds: list[Bed], inbox: InboxClient, name: str, seconds: float, phases: Phases) -> None:
    """Put at the fixed rate, and wait for the healthy ones' deliveries."""
    source = SpreadPuts([bed.requests(OBJECT_BYTES) for bed in beds], name)
    inbox.reset(keep=True)
    load = run_open(beds[0].target, source, PUTS_PER_SECOND, seconds)
    expected = sum(source.written[:HEALTHY])
    arrived = inbox.wait_for(expected)
    arrived_at = first_arrivals(inbox.arrivals())
    _add(phases, load, arrived_at)
    phases.repeated += arrived.total - arrived.distinct
    phases.fail("delivery missing", expected - arrived.distinct)


def _add(phases: Phases, load: OpenLoop, arrived_at: Mapping[str, float]) -> None:
    phases.from_ack += after(arrived_at, {key: ack.answered_at for key, ack in load.acks.items()})
    phases.from_sent += after(arrived_at, {key: ack.sent_at for key, ack in load.acks.items()})
    phases.puts += load.tally.latencies_seconds
    phases.seconds += load.tally.elapsed_seconds
    for label, count in load.tally.errors.items():
        phases.fail(label, count)


def _result(name: str, phases: Phases, details: dict[str, Detail]) -> Result:
    from_sent, puts = percentiles(phases.from_sent), percentiles(phases.puts)
    told: dict[str, Detail] = {
        "fromSentP50Ms": from_sent.p50_ms,
        "fromSentP99Ms": from_sent.p99_ms,
        "putP99Ms": puts.p99_ms,
        "deliveriesRepeated": phases.repeated,
    }
    return Result(
        name=name,
        operations=len(phases.from_ack),
        body_bytes=0,
        seconds=phases.seconds,
        latency=percentiles(phases.from_ack),
        connections=CONNECTIONS,
        errors=phases.errors,
        details=told | details,
    )
