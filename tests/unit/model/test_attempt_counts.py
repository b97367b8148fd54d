from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.delivery.failure import ERROR_CLASSES
from elasticlake.model.attempt_counts import (
    FAILURE_KINDS,
    LATENCY_BOUNDS_MS,
    AttemptCounts,
    failure_number,
    latency_number,
    total,
)


def took(*durations_ms: float) -> AttemptCounts:
    latencies = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for duration_ms in durations_ms:
        latencies[latency_number(duration_ms)] += 1
    return AttemptCounts(len(durations_ms), latencies=tuple(latencies))


def test_every_class_of_a_failed_attempt_has_its_kind() -> None:
    for error_class in ERROR_CLASSES:
        if error_class != "status":
            assert FAILURE_KINDS[failure_number(error_class, 500)] == error_class


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "4xx"), (499, "4xx"), (500, "5xx"), (599, "5xx"), (600, "other"), (None, "other")]
)
def test_an_answer_is_counted_by_its_class(status: int | None, kind: str) -> None:
    assert FAILURE_KINDS[failure_number("status", status)] == kind


def test_nothing_attempted_has_no_ratio_and_no_percentile() -> None:
    nothing = total([])
    assert (nothing.attempts, nothing.success_ratio, nothing.percentile_ms(50)) == (0, None, None)
    assert nothing.failures_by_kind == {}


def test_the_ratio_is_that_of_what_was_delivered() -> None:
    failures = [0] * len(FAILURE_KINDS)
    failures[FAILURE_KINDS.index("dns")] = 1
    counts = AttemptCounts(3, tuple(failures))
    assert (counts.attempts, counts.failed, counts.success_ratio) == (4, 1, 0.75)
    assert counts.failures_by_kind == {"dns": 1}


def test_a_percentile_lies_where_its_attempt_is() -> None:
    counts = took(*[2.0] * 98, 900.0, 45_000.0)
    assert counts.percentile_ms(50) == pytest.approx(1.5 + 50 / 98, abs=0.001)
    assert counts.percentile_ms(99) == 1000
    assert counts.percentile_ms(100) == 30_000


def test_an_end_of_a_bucket_belongs_to_it() -> None:
    assert [latency_number(bound) for bound in LATENCY_BOUNDS_MS] == list(range(24))
    assert (latency_number(0), latency_number(30_000.001)) == (0, 24)


@given(st.lists(st.floats(0, 30_000), min_size=1), st.lists(st.floats(0, 30_000)), st.sampled_from([50, 95, 99]))
def test_a_percentile_of_a_sum_is_off_by_no_more_than_a_bucket(
    one: list[float], other: list[float], percent: int
) -> None:
    found = total([took(*one), took(*other)]).percentile_ms(percent)
    durations = sorted(one + other)
    true = durations[-(-len(durations) * percent // 100) - 1]
    assert found is not None
    number = bisect_left(LATENCY_BOUNDS_MS, true)
    assert ([0, *LATENCY_BOUNDS_MS][number]) <= found <= LATENCY_BOUNDS_MS[number]
