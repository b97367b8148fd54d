"""Percentiles, and the tally that one measured shape keeps while it runs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A distribution's points in milliseconds; all zero when nothing was measured."""

    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of an ascending, non-empty sequence: a value that really occurred."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """The distribution of durations given in seconds."""
    if not seconds:
        return Percentiles()
    ordered = sorted(seconds)
    points = (percentile(ordered, 0.5), percentile(ordered, 0.9), percentile(ordered, 0.99), ordered[-1])
    return Percentiles(*(round(point * 1e3, 4) for point in points))


@dataclass(slots=True)
class Tally:
    """What one shape did: a latency for each success, a count for each kind of failure."""

    latencies_seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    body_bytes: int = 0
    elapsed_seconds: float = 0.0
    client_cpu_seconds: float = 0.0

    def succeeded(self, latency_seconds: float, body_bytes: int) -> None:
        self.latencies_seconds.append(latency_seconds)
        self.body_bytes += body_bytes

    def failed(self, label: str) -> None:
        self.errors[label] += 1
