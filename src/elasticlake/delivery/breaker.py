"""A circuit breaker: an endpoint that fails time after time is left alone, and probed now and then.

While it is open the backlog stays in the log, where it costs nothing. A probe is an ordinary attempt, one at a time:
if it succeeds the breaker closes, if not the next probe is further away. An answer may be the fault of what was sent,
so it weighs less than none.
"""

from __future__ import annotations

import random
from typing import Literal

State = Literal["closed", "open", "half_open"]

TRIPS_AFTER = 5
"""Failures in a row without an answer."""
ANSWERS_FOR_ONE = 4
"""As many failures that were answers weigh as much as one that was none."""
FIRST_PROBE_SECONDS = 1.0
LAST_PROBE_SECONDS = 30.0
ANSWERED_PROBE_SECONDS = 0.2
"""As long as failures are answers: they come quickly, and what comes after the failing keys is not to wait for long."""
JITTER = 0.2


class Breaker:
    """The breaker of one webhook."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._weight = 0
        self._pause_seconds = 0.0
        self._probe_at = 0.0
        self._is_probing = False

    @property
    def state(self) -> State:
        """`half_open` while a probe is under way."""
        if not self._pause_seconds:
            return "closed"
        return "half_open" if self._is_probing else "open"

    @property
    def probe_at(self) -> float:
        """When, by a monotonic clock, the next probe may be made; of meaning while open."""
        return self._probe_at

    def wait_seconds(self, now: float) -> float | None:
        """How long until an attempt may start; None: until the probe under way has ended."""
        if not self._pause_seconds:
            return 0.0
        return None if self._is_probing else max(0.0, self._probe_at - now)

    def begin(self) -> bool:
        """An attempt starts; whether it is a probe."""
        self._is_probing = bool(self._pause_seconds)
        return self._is_probing

    def succeeded(self) -> None:
        """Any success says that the endpoint is well."""
        self._weight, self._pause_seconds, self._is_probing = 0, 0.0, False

    def failed(self, now: float, *, is_probe: bool, was_answered: bool) -> None:
        """An attempt failed. One that began before the breaker opened makes no difference any more."""
        self._weight += 1 if was_answered else ANSWERS_FOR_ONE
        if is_probe or (not self._pause_seconds and self._weight >= TRIPS_AFTER * ANSWERS_FOR_ONE):
            self._open(now, ANSWERED_PROBE_SECONDS if was_answered else self._longer_seconds())

    def _longer_seconds(self) -> float:
        return min(max(2 * self._pause_seconds, FIRST_PROBE_SECONDS), LAST_PROBE_SECONDS)

    def gave_up(self) -> None:
        """The probe was not made after all."""
        self._is_probing = False

    def _open(self, now: float, pause_seconds: float) -> None:
        self._pause_seconds, self._is_probing = pause_seconds, False
        # Endpoints that failed together are not probed together.
        self._probe_at = now + pause_seconds * (1 + JITTER * (2 * self._chance.random() - 1))
