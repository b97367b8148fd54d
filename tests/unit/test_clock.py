"""Time as it is written."""

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.clock import SystemClock, rfc3339_milliseconds, rfc3339_seconds


@pytest.mark.parametrize(
    ("time_ms", "seconds", "milliseconds"),
    [
        (0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.999Z"),
        (1_761_834_153_007, "2025-10-30T14:22:33Z", "2025-10-30T14:22:33.007Z"),
        (1_709_164_800_000, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_rfc3339_in_utc(time_ms: int, seconds: str, milliseconds: str) -> None:
    assert rfc3339_seconds(time_ms) == seconds
    assert rfc3339_milliseconds(time_ms) == milliseconds


@given(st.integers(0, 4_102_444_800_000))
def test_a_written_time_comes_back(time_ms: int) -> None:
    assert round(datetime.fromisoformat(rfc3339_milliseconds(time_ms)).timestamp() * 1000) == time_ms
    assert datetime.fromisoformat(rfc3339_seconds(time_ms)).timestamp() == time_ms // 1000


def test_the_machines_clocks() -> None:
    clock = SystemClock()
    before, started = time.time(), clock.monotonic()
    now_ms = clock.now_ms()
    assert before - 0.001 <= now_ms / 1000 <= time.time()
    assert clock.monotonic() >= started
