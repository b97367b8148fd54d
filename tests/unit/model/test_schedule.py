"""When the next attempt comes: the schedule, its jitter, and what a receiver may ask for."""

from __future__ import annotations

import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.model.schedule import (
    DEFAULT_RETRY_SCHEDULE_SECONDS,
    next_attempt_delay,
    parse_retry_after,
    validate_schedule,
)

NOW = 1_790_000_000.0


def test_the_default_is_ten_attempts_at_the_standards_times():
    delays = [next_attempt_delay(DEFAULT_RETRY_SCHEDULE_SECONDS, made, None, 0.5) for made in range(1, 11)]
    minute, hour = 60, 3600
    expected = [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
    assert delays[:-1] == pytest.approx(expected)
    assert delays[-1] is None


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 9))
def test_jitter_stays_within_a_fifth(random_unit, made):
    delay = next_attempt_delay(DEFAULT_RETRY_SCHEDULE_SECONDS, made, None, random_unit)
    step = DEFAULT_RETRY_SCHEDULE_SECONDS[made - 1]
    assert delay is not None
    assert 0.8 * step <= delay + 1e-9
    assert delay - 1e-9 <= 1.2 * step


def test_jitter_reaches_both_ends():
    assert next_attempt_delay([100], 1, None, 0.0) == pytest.approx(80)
    assert next_attempt_delay([100], 1, None, 1.0) == pytest.approx(120)


def test_retry_after_lengthens_never_shortens_and_is_capped():
    assert next_attempt_delay([100], 1, 1000, 0.5) == 1000
    assert next_attempt_delay([100], 1, 3, 0.0) == pytest.approx(80)
    assert next_attempt_delay([100], 1, 1e9, 0.5) == 36_000
    assert next_attempt_delay([86_400], 1, 1e9, 0.5) == pytest.approx(86_400)


def test_retry_after_grants_no_attempt_beyond_the_schedule():
    assert next_attempt_delay([100], 2, 5, 0.5) is None
    assert next_attempt_delay([], 1, None, 0.5) is None


def test_the_first_attempt_is_not_a_retry():
    with pytest.raises(ValueError, match="counts from 1"):
        next_attempt_delay([100], 0, None, 0.5)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("9" * 5000, float("9" * 12)),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),  # RFC 850's form
        ("Mon Sep 21 14:13:22 2026", 2),  # asctime's form
    ],
)
def test_retry_after_reads_seconds_and_dates(value, seconds):
    assert parse_retry_after(value, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "1.5", "1e3", "٣", "+5", "Mon, 99 Foo 2026", "Sat, 31 Feb 2026 00:00:00 GMT"]
)
def test_retry_after_ignores_anything_else(value):
    assert parse_retry_after(value, NOW) is None


@given(st.text())
def test_retry_after_survives_any_text(value):
    delay = parse_retry_after(value, NOW)
    assert delay is None or delay >= 0


def test_a_schedule_of_valid_steps_is_kept():
    assert validate_schedule([1, 0.5, 604_800]) == (1, 0.5, 604_800)
    assert validate_schedule([]) == ()
    assert len(validate_schedule([1] * 50)) == 50


@pytest.mark.parametrize("schedule", [[0], [-1], [604_801], [math.nan], [math.inf], [5, 0], [1] * 51])
def test_a_schedule_out_of_bounds_is_refused(schedule):
    with pytest.raises(ValueError, match="retry schedule"):
        validate_schedule(schedule)
