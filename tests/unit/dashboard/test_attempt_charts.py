"""Which time a chart covers, and the words that stand for it."""

from __future__ import annotations

import pytest

from elasticlake.dashboard.attempt_charts import RANGES, latencies_chart, outcome_words, outcomes_chart
from elasticlake.model.attempt_counts import FAILURE_KINDS, LATENCY_BOUNDS_MS, AttemptCounts
from elasticlake.service.statistics import Interval, Series

HOUR_MS = 3_600_000
NOW_MS = 1_767_323_045_678  # 2026-01-02T03:04:05Z


def counted(delivered: int = 0, **failed: int) -> AttemptCounts:
    failures = tuple(failed.get(f"f_{kind}", 0) for kind in FAILURE_KINDS)
    latencies = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    latencies[5] = delivered + sum(failures)
    return AttemptCounts(delivered, failures, tuple(latencies))


@pytest.mark.parametrize("name", RANGES)
def test_a_range_ends_with_the_column_that_has_begun(name: str) -> None:
    span = RANGES[name]
    since_ms, until_ms = span.bounds_ms(NOW_MS)
    assert until_ms - span.column_ms <= NOW_MS < until_ms
    assert until_ms - since_ms == span.columns * span.column_ms


def test_a_week_s_hours_become_columns_of_six() -> None:
    span = RANGES["7d"]
    since_ms, until_ms = span.bounds_ms(NOW_MS)
    hours = [Interval(since_ms + n * HOUR_MS, counted(1, f_timeout=n % 2)) for n in range(168)]
    merged = span.merged(Series(since_ms, until_ms, "1h", hours, counted()))
    assert len(merged.steps) == 28
    assert {(one.counts.delivered, one.counts.failed) for one in merged.steps} == {(6, 3)}
    assert merged.steps[1].start_ms == since_ms + 6 * HOUR_MS


def test_words_say_why() -> None:
    assert outcome_words(counted()) == "no attempts"
    assert outcome_words(counted(1_234)) == "1,234 delivered, 0 failed"
    assert outcome_words(counted(7, f_5xx=2, f_timeout=1)) == "7 delivered, 3 failed (1 timeout, 2 5xx)"


def test_charts_tell_the_same_in_words() -> None:
    series = Series(0, HOUR_MS, "1h", [Interval(0, counted(7, f_5xx=2, f_dns=1))], counted(7, f_5xx=2, f_dns=1))
    bars = outcomes_chart(series, RANGES["24h"])
    assert 'aria-label="Attempts of the last 24 hours: 7 delivered, 3 failed (1 dns, 2 5xx)"' in bars
    assert [f'class="{kind}"' in bars for kind in ("good", "warn", "bad")] == [True, True, True]
    lines = latencies_chart(series, RANGES["24h"])
    assert "Latency of the last 24 hours: p50 8 ms, p95 10 ms, p99 10 ms" in lines


def test_nothing_is_a_chart_as_well() -> None:
    series = Series(0, HOUR_MS, "1h", [Interval(0, counted())], counted())
    assert "no attempts" in outcomes_chart(series, RANGES["1h"])
    assert "polyline" not in latencies_chart(series, RANGES["1h"])
