"""A webhook's attempts as charts: how they ended over time, and how long they took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from markupsafe import Markup

from elasticlake.clock import rfc3339_seconds
from elasticlake.dashboard import charts
from elasticlake.dashboard.charts import Column
from elasticlake.model.attempt_counts import AttemptCounts, total
from elasticlake.record import record
from elasticlake.service.statistics import Interval, Series, StepLength

_HOUR_MS = 3_600_000
_ANSWERED = ("4xx", "5xx", "redirect")
OUTCOMES = ("good", "warn", "bad")
"""Delivered; answered, but not with a success; not answered."""
PERCENTILES = ("p50", "p95", "p99")


@record
class Range:
    """A time to look back over: `columns` of so long each, asked for in steps."""

    words: str
    columns: int
    column_ms: int
    step: StepLength

    def bounds_ms(self, now_ms: int) -> tuple[int, int]:
        """From when to when: the column that has begun is the last."""
        until_ms = (now_ms // self.column_ms + 1) * self.column_ms
        return until_ms - self.columns * self.column_ms, until_ms

    def merged(self, series: Series) -> Series:
        """The series with a step for each column."""
        several = len(series.steps) // self.columns
        parts = [series.steps[start : start + several] for start in range(0, len(series.steps), several)]
        steps = [Interval(part[0].start_ms, total(one.counts for one in part)) for part in parts]
        return replace(series, steps=steps)


DAY = "24h"
RANGES = {
    "1h": Range("1 hour", 12, _HOUR_MS // 12, "5m"),
    DAY: Range("24 hours", 24, _HOUR_MS, "1h"),
    "7d": Range("7 days", 28, 6 * _HOUR_MS, "1h"),
}


def outcomes_chart(series: Series, span: Range) -> Markup:
    """A bar for each step: what was delivered, what was answered with an error, what was not answered."""
    label = f"Attempts of the last {span.words}: {outcome_words(series.totals)}"
    return charts.bars(_columns(series, span, outcomes, outcome_words), OUTCOMES, label)


def latencies_chart(series: Series, span: Range) -> Markup:
    """A line for each percentile."""
    label = f"Latency of the last {span.words}: {_latency_words(series.totals)}"
    return charts.lines(_columns(series, span, _latencies, _latency_words), PERCENTILES, label)


def outcome_words(counts: AttemptCounts) -> str:
    """`7 delivered, 3 failed (2 5xx, 1 timeout)`."""
    if not counts.attempts:
        return "no attempts"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.failures_by_kind.items())
    return f"{counts.delivered:,} delivered, {counts.failed:,} failed" + (f" ({kinds})" if kinds else "")


def _latency_words(counts: AttemptCounts) -> str:
    if not counts.attempts:
        return "no attempts"
    values = zip(PERCENTILES, _latencies(counts), strict=True)
    return ", ".join(f"{name} {value:,.0f} ms" for name, value in values if value is not None)


def _columns(
    series: Series,
    span: Range,
    values: Callable[[AttemptCounts], tuple[float | None, ...]],
    words: Callable[[AttemptCounts], str],
) -> list[Column]:
    is_long = span.columns * span.column_ms > 24 * _HOUR_MS
    return [
        Column(_label(one, is_long), values(one.counts), f"{_label(one, True)} UTC: {words(one.counts)}")
        for one in series.steps
    ]


def _label(interval: Interval, with_day: bool) -> str:
    day, _, time = rfc3339_seconds(interval.start_ms).removesuffix("Z").partition("T")
    return f"{day[5:]} {time[:5]}" if with_day else time[:5]


def outcomes(counts: AttemptCounts) -> tuple[int, int, int]:
    """How many attempts there were of each of `OUTCOMES`."""
    answered = sum(counts.failures_by_kind.get(kind, 0) for kind in _ANSWERED)
    return (counts.delivered, answered, counts.failed - answered)


def _latencies(counts: AttemptCounts) -> tuple[float | None, ...]:
    return (counts.percentile_ms(50), counts.percentile_ms(95), counts.percentile_ms(99))
