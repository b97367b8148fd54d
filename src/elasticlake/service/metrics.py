"""What an operator can measure: every metric, and one process's counts.

The hot paths count in plain dictionaries, a fraction of a microsecond each; `service/shared_metrics.py` brings the
processes of a server together, and `service/exposition.py` writes what a Prometheus server reads.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Labels = tuple[str | int, ...]
Snapshot = dict[str, dict[Labels, list[float]]]
"""Per metric and labels: one number, or a histogram's counts per bucket (not added up) with the values' sum last."""

WORST_WEBHOOKS = 50
_FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SLOW_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `merge` makes one number of two processes'; `initial` labels are there from the start, at zero."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    merge: Callable[[float, float], float] = operator.add
    initial: tuple[Labels, ...] = ()

    def zero(self) -> list[float]:
        """What a series of it starts with: for a histogram a count below each bound, one above all, and the sum."""
        return [0] * (len(self.bounds) + 2) if self.kind == "histogram" else [0]


S3_REQUESTS = Metric(
    "elasticlake_s3_requests_total",
    "counter",
    "S3 requests answered, by operation and status.",
    ("operation", "status"),
)
S3_SECONDS = Metric(
    "elasticlake_s3_request_seconds",
    "histogram",
    "From an S3 request's head to the last byte of its answer, bodies included, in seconds.",
    ("operation",),
    _FAST_SECONDS,
)
S3_RECEIVED = Metric("elasticlake_s3_received_bytes_total", "counter", "Bytes of S3 requests' bodies.", initial=((),))
S3_SENT = Metric("elasticlake_s3_sent_bytes_total", "counter", "Bytes of S3 answers' bodies.", initial=((),))
API_REQUESTS = Metric(
    "elasticlake_api_requests_total",
    "counter",
    "REST calls answered, by operation and status.",
    ("operation", "status"),
)
COMMITS = Metric(
    "elasticlake_commits_total", "counter", "Transactions committed to the metadata, each a group.", initial=((),)
)
MUTATIONS = Metric("elasticlake_mutations_total", "counter", "Mutations in those transactions.", initial=((),))
COMMIT_SECONDS = Metric(
    "elasticlake_commit_seconds",
    "histogram",
    "How long a group took from its first statement until it was durable, in seconds.",
    bounds=_FAST_SECONDS,
    initial=((),),
)
ATTEMPTS = Metric(
    "elasticlake_delivery_attempts_total",
    "counter",
    "Delivery attempts (tests excepted), by what the delivery is after it: delivered, retrying, dead.",
    ("outcome",),
    initial=(("delivered",), ("retrying",), ("dead",)),
)
ATTEMPT_SECONDS = Metric(
    "elasticlake_delivery_attempt_seconds",
    "histogram",
    "How long an attempt took, whatever came of it, in seconds.",
    bounds=_FAST_SECONDS,
    initial=((),),
)
LATENCY_SECONDS = Metric(
    "elasticlake_delivery_latency_seconds",
    "histogram",
    "From an event's commit until its delivery was acknowledged, retries included, redeliveries excepted, in seconds.",
    bounds=_SLOW_SECONDS,
    initial=((),),
)
IN_FLIGHT = Metric("elasticlake_deliveries_in_flight", "gauge", "Attempts under way now.", initial=((),))
LANES_PARKED = Metric(
    "elasticlake_lanes_parked", "gauge", "Lanes whose first event waits for its next attempt.", initial=((),)
)
OLDEST_SECONDS = Metric(
    "elasticlake_oldest_undelivered_seconds",
    "gauge",
    "Age of the oldest event that an enabled webhook has not received yet, in seconds; 0 without one.",
    merge=max,
    initial=((),),
)
WEBHOOK_OLDEST_SECONDS = Metric(
    "elasticlake_webhook_oldest_undelivered_seconds",
    "gauge",
    f"The same for each of the {WORST_WEBHOOKS} enabled webhooks that are furthest behind.",
    ("webhook",),
    merge=max,
)
WEBHOOK_BACKLOG = Metric(
    "elasticlake_webhook_backlog_events",
    "gauge",
    f"Events of the log beyond its position, for each of the {WORST_WEBHOOKS} enabled webhooks with the most.",
    ("webhook",),
    merge=max,
)
BACKLOG = Metric(
    "elasticlake_backlog_events", "gauge", "Events of the log beyond their positions, over all enabled webhooks."
)
BREAKERS = Metric(
    "elasticlake_breakers_open",
    "gauge",
    "Webhooks that failed time after time, and are left alone but for probes.",
    initial=((),),
)
WEBHOOK_BREAKER = Metric(
    "elasticlake_webhook_breaker_open",
    "gauge",
    f"1 for each webhook that is left alone but for probes, {WORST_WEBHOOKS} at most.",
    ("webhook",),
    merge=max,
)
WEBHOOKS = Metric(
    "elasticlake_webhooks", "gauge", "Webhooks by status, of the whole installation.", ("status",), merge=max
)
DISPATCHERS = Metric(
    "elasticlake_dispatchers",
    "gauge",
    "Dispatchers that live, as a gateway sees it; absent while it cannot tell.",
    merge=max,
)
BLOBS_DELETED = Metric("elasticlake_blobs_deleted_total", "counter", "Blobs deleted or swept.", initial=((),))
POSITIONS_CLAMPED = Metric(
    "elasticlake_positions_clamped_total",
    "counter",
    "Webhooks' positions that lay beyond their bucket's last sequence, as after a restore, and were set back.",
    initial=((),),
)
EVENTS_TRIMMED = Metric(
    "elasticlake_events_trimmed_total", "counter", "Events that retention took from the logs.", initial=((),)
)
DELIVERIES_EXPIRED = Metric(
    "elasticlake_deliveries_expired_total",
    "counter",
    "Events that retention took before a webhook had come to them, whatever their type.",
    initial=((),),
)
INFO = Metric("elasticlake_info", "gauge", "1; its label says which version runs.", ("version",), merge=max)
STARTED = Metric(
    "elasticlake_process_start_time_seconds",
    "gauge",
    "When each process started, in seconds since the Unix epoch.",
    ("process",),
    merge=max,
)
CPU_SECONDS = Metric(
    "elasticlake_process_cpu_seconds_total", "counter", "Processor time of each process, in seconds.", ("process",)
)
RESIDENT = Metric(
    "elasticlake_process_resident_bytes", "gauge", "Memory of each process, in bytes.", ("process",), merge=max
)

METRICS = (
    S3_REQUESTS, S3_SECONDS, S3_RECEIVED, S3_SENT, API_REQUESTS, COMMITS, MUTATIONS, COMMIT_SECONDS, ATTEMPTS,
    ATTEMPT_SECONDS, LATENCY_SECONDS, IN_FLIGHT, LANES_PARKED, OLDEST_SECONDS, WEBHOOK_OLDEST_SECONDS, WEBHOOK_BACKLOG,
    BACKLOG, BREAKERS, WEBHOOK_BREAKER, WEBHOOKS, DISPATCHERS, BLOBS_DELETED, POSITIONS_CLAMPED, EVENTS_TRIMMED,
    DELIVERIES_EXPIRED, INFO, STARTED, CPU_SECONDS, RESIDENT,
)  # fmt: skip


class Metrics:
    """What one process has counted so far. It belongs to the process's event loop."""

    def __init__(self) -> None:
        self._series: Snapshot = {
            metric.name: {labels: metric.zero() for labels in metric.initial} for metric in METRICS
        }
        self._s3_requests = self._series[S3_REQUESTS.name]
        self._s3_seconds = self._series[S3_SECONDS.name]
        self._s3_received = self._series[S3_RECEIVED.name][()]
        self._s3_sent = self._series[S3_SENT.name][()]

    def s3_request(self, operation: str, status: int, seconds: float, received_bytes: int, sent_bytes: int) -> None:
        """An S3 request was answered."""
        labels = (operation, status)
        requests = self._s3_requests.get(labels)
        if requests is None:
            requests = self._s3_requests[labels] = [0]
            self._s3_seconds.setdefault((operation,), S3_SECONDS.zero())
        requests[0] += 1
        durations = self._s3_seconds[operation,]
        durations[bisect_left(_FAST_SECONDS, seconds)] += 1
        durations[-1] += seconds
        self._s3_received[0] += received_bytes
        self._s3_sent[0] += sent_bytes

    def api_request(self, operation: str, status: int) -> None:
        """A REST call was answered."""
        self._add(API_REQUESTS, 1, operation, status)

    def observe_commit(self, mutations: int, seconds: float) -> None:
        """A group of that many mutations was committed."""
        self._add(COMMITS, 1)
        self._add(MUTATIONS, mutations)
        self._observe(COMMIT_SECONDS, seconds)

    def attempted(self, outcome: str, seconds: float) -> None:
        """A delivery attempt ended."""
        self._add(ATTEMPTS, 1, outcome)
        self._observe(ATTEMPT_SECONDS, seconds)

    def delivered(self, latency_seconds: float) -> None:
        """An event was acknowledged, that long after its commit."""
        self._observe(LATENCY_SECONDS, max(0.0, latency_seconds))

    def blobs_deleted(self, count: int) -> None:
        self._add(BLOBS_DELETED, count)

    def events_trimmed(self, count: int) -> None:
        self._add(EVENTS_TRIMMED, count)

    def deliveries_expired(self, count: int) -> None:
        self._add(DELIVERIES_EXPIRED, count)

    def positions_clamped(self, count: int) -> None:
        self._add(POSITIONS_CLAMPED, count)

    def delivery_state(self, in_flight: int, lanes: int, oldest_seconds: Mapping[str, float]) -> None:
        """How delivery stands now; `oldest_seconds` is each webhook's oldest undelivered event's age, by its id."""
        worst = sorted(oldest_seconds.items(), key=lambda item: item[1], reverse=True)[:WORST_WEBHOOKS]
        self._set(IN_FLIGHT, [((), in_flight)])
        self._set(LANES_PARKED, [((), lanes)])
        self._set(OLDEST_SECONDS, [((), worst[0][1] if worst else 0)])
        self._set(WEBHOOK_OLDEST_SECONDS, [((webhook_id,), seconds) for webhook_id, seconds in worst])

    def backlogs(self, events: Mapping[str, int]) -> None:
        """How many events each webhook has not come to now, by its id."""
        worst = sorted(events.items(), key=lambda item: item[1], reverse=True)[:WORST_WEBHOOKS]
        self._set(BACKLOG, [((), sum(events.values()))])
        self._set(WEBHOOK_BACKLOG, [((webhook_id,), count) for webhook_id, count in worst])

    def breakers(self, open_for: Collection[str]) -> None:
        """Which webhooks are left alone now, by id."""
        self._set(BREAKERS, [((), len(open_for))])
        self._set(WEBHOOK_BREAKER, [((webhook_id,), 1) for webhook_id in sorted(open_for)[:WORST_WEBHOOKS]])

    def webhooks(self, counts: Mapping[str, int]) -> None:
        """How many webhooks there are now, by status."""
        self._set(WEBHOOKS, [((status,), count) for status, count in counts.items()])

    def dispatchers(self, count: int | None) -> None:
        """How many dispatchers live now; None if that cannot be told."""
        self._set(DISPATCHERS, [] if count is None else [((), count)])

    def process(
        self, name: str, version: str, started_at_seconds: float, cpu_seconds: float, resident_bytes: int | None
    ) -> None:
        """How this process stands now; `resident_bytes` is None where the system does not say."""
        self._set(INFO, [((version,), 1)])
        self._set(STARTED, [((name,), started_at_seconds)])
        self._set(CPU_SECONDS, [((name,), cpu_seconds)])
        if resident_bytes is not None:
            self._set(RESIDENT, [((name,), resident_bytes)])

    def snapshot(self) -> Snapshot:
        """A copy of everything."""
        return {
            name: {labels: values.copy() for labels, values in series.items()} for name, series in self._series.items()
        }

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from what a predecessor counted: a counter never goes back. Gauges begin anew."""
        for metric in METRICS:
            if metric.kind != "gauge":
                for labels, values in snapshot.get(metric.name, {}).items():
                    self._of(metric, *labels)[:] = values

    def _of(self, metric: Metric, *labels: str | int) -> list[float]:
        series = self._series[metric.name]
        values = series.get(labels)
        if values is None:
            values = series[labels] = metric.zero()
        return values

    def _add(self, metric: Metric, amount: float, *labels: str | int) -> None:
        self._of(metric, *labels)[0] += amount

    def _observe(self, metric: Metric, value: float, *labels: str | int) -> None:
        values = self._of(metric, *labels)
        values[bisect_left(metric.bounds, value)] += 1
        values[-1] += value

    def _set(self, metric: Metric, values: Iterable[tuple[Labels, float]]) -> None:
        self._series[metric.name] = {labels: [value] for labels, value in values}


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The processes' counts as one."""
    whole: Snapshot = {}
    for snapshot in snapshots:
        for metric in METRICS:
            series = whole.setdefault(metric.name, {})
            for labels, values in snapshot.get(metric.name, {}).items():
                known = series.get(labels)
                series[labels] = list(map(metric.merge, known, values)) if known else values
    return whole
