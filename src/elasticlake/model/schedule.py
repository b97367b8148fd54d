"""When a failed delivery is attempted again: pure arithmetic, without a clock or a source of chance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

DEFAULT_RETRY_SCHEDULE_SECONDS: tuple[float, ...] = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""The waits between attempts that Standard Webhooks recommends: ten attempts over about 75 hours."""

JITTER = 0.2
MAX_STEPS = 50
MAX_STEP_SECONDS = 7 * 86400
MAX_RETRY_AFTER_SECONDS = 10 * 3600

_DELTA_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_LONGEST_DELTA_DIGITS = 12


def next_attempt_delay(
    schedule: Sequence[float], attempts_made: int, retry_after_seconds: float | None, random_unit: float
) -> float | None:
    """Seconds until the next attempt, or None if none is left and the delivery is dead.

    `attempts_made` counts from 1; `random_unit` in [0, 1) spreads the schedule's step by ±20 %, so that receivers that
    failed together are not attempted together. A receiver's `Retry-After` can only lengthen the wait, to 10 h at most.
    """
    if attempts_made < 1:
        raise ValueError("The first attempt needs no delay: attempts_made counts from 1.")
    if attempts_made > len(schedule):
        return None
    step = schedule[attempts_made - 1] * (1 - JITTER + 2 * JITTER * random_unit)
    return max(step, min(retry_after_seconds or 0.0, MAX_RETRY_AFTER_SECONDS))


def parse_retry_after(value: str, now_seconds: float) -> float | None:
    """The seconds that a `Retry-After` header asks for, or None if it is neither of the forms of RFC 9110, 10.2.3.

    `now_seconds` (since the Unix epoch) turns an HTTP-date into a wait; a date in the past is 0.
    """
    value = value.strip()
    if _DELTA_SECONDS.fullmatch(value):
        return float(value[:_LONGEST_DELTA_DIGITS])
    try:
        date = parsedate_to_datetime(value)
        # A date without a zone (asctime's form, which RFC 9110 still allows) is UTC.
        moment = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, moment - now_seconds)


def validate_schedule(schedule: Sequence[float]) -> tuple[float, ...]:
    """The schedule as a tuple; raises ValueError unless it has at most 50 steps of more than 0 s and at most 7 days.

    An empty schedule is valid: one attempt and no retry.
    """
    if len(schedule) > MAX_STEPS:
        raise ValueError(f"A retry schedule has at most {MAX_STEPS} steps; this one has {len(schedule)}.")
    for position, step in enumerate(schedule, start=1):
        if not 0 < step <= MAX_STEP_SECONDS:
            raise ValueError(
                f"Step {position} of the retry schedule is {step:g} s; a step is more than 0 s and at most 7 days."
            )
    return tuple(schedule)
