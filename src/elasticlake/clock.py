"""Time comes in from outside, so that a test or a simulation can own it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """The two clocks a program needs."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch (wall clock)."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back (for durations and deadlines)."""
        ...


# Goes on while the machine sleeps: a lease ends also for who did not notice.
_NEVER_STOPS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.clock_gettime(_NEVER_STOPS)


def rfc3339_seconds(time_ms: int) -> str:
    """`2025-10-30T14:22:33Z`: UTC, whole seconds, as the payload's `timestamp`."""
    return f"{_to_seconds(time_ms // 1000)}Z"


def rfc3339_milliseconds(time_ms: int) -> str:
    """`2025-10-30T14:22:33.123Z`: UTC, as S3's XML and our REST API write times."""
    return f"{_to_seconds(time_ms // 1000)}.{time_ms % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _to_seconds(seconds: int) -> str:
    """Events and listings name the same few seconds again and again."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(timespec="seconds")
