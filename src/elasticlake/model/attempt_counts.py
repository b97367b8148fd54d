"""Attempts counted: how many succeeded, why the others did not, and how long they took.

Counts of several webhooks or hours add up, and so do the latencies, since they are counted in fixed buckets: a
percentile of the sum is as exact as one of its parts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from elasticlake.record import record

FAILURE_KINDS = (
    "refused_address", "dns", "connect", "tls", "timeout", "reset", "protocol", "redirect", "4xx", "5xx", "other",
)  # fmt: skip
"""Why attempts fail: their error class, where the receiver answered the class of its status."""
LATENCY_BOUNDS_MS = (
    1, 1.5, 2.5, 4, 6, 10, 15, 25, 40, 60, 100, 150, 250, 400, 600, 1000, 1500, 2500, 4000, 6000, 10_000, 15_000,
    20_000, 30_000,
)  # fmt: skip
"""The upper ends of the buckets; one more has what took longer than any attempt should."""

_KIND_NUMBERS = {kind: number for number, kind in enumerate(FAILURE_KINDS)}
_OTHER = _KIND_NUMBERS["other"]


def failure_number(error_class: str | None, status_code: int | None) -> int:
    """Where in `FAILURE_KINDS` a failed attempt is counted."""
    if error_class is not None and error_class in _KIND_NUMBERS:
        return _KIND_NUMBERS[error_class]
    return _KIND_NUMBERS.get(f"{(status_code or 0) // 100}xx", _OTHER)


def latency_number(duration_ms: float) -> int:
    """In which bucket an attempt of that duration is counted."""
    return bisect_left(LATENCY_BOUNDS_MS, duration_ms)


@record
class AttemptCounts:
    """`failures` are in the order of `FAILURE_KINDS`, `latencies` in that of `LATENCY_BOUNDS_MS`."""

    delivered: int = 0
    failures: tuple[int, ...] = (0,) * len(FAILURE_KINDS)
    latencies: tuple[int, ...] = (0,) * (len(LATENCY_BOUNDS_MS) + 1)
    """Of all attempts, also of those that failed."""

    @property
    def failed(self) -> int:
        return sum(self.failures)

    @property
    def attempts(self) -> int:
        return self.delivered + self.failed

    @property
    def success_ratio(self) -> float | None:
        """From 0 to 1; None where nothing was attempted."""
        return self.delivered / self.attempts if self.attempts else None

    @property
    def failures_by_kind(self) -> dict[str, int]:
        """The kinds that there were."""
        return {kind: count for kind, count in zip(FAILURE_KINDS, self.failures, strict=True) if count}

    def percentile_ms(self, percent: float) -> float | None:
        """How long so many percent of the attempts took at most, in milliseconds, by interpolation within a bucket;
        None where nothing was attempted."""
        wanted = sum(self.latencies) * percent / 100
        if not wanted:
            return None
        lower = 0.0
        for count, upper in zip(self.latencies, LATENCY_BOUNDS_MS, strict=False):
            if count >= wanted:
                return round(lower + (upper - lower) * wanted / count, 3)
            wanted, lower = wanted - count, upper
        return float(LATENCY_BOUNDS_MS[-1])


def total(parts: Iterable[AttemptCounts]) -> AttemptCounts:
    """All of them together."""
    known = list(parts) or [AttemptCounts()]
    return AttemptCounts(
        sum(part.delivered for part in known),
        _summed([part.failures for part in known]),
        _summed([part.latencies for part in known]),
    )


def _summed(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*rows, strict=True)))
