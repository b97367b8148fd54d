"""How fast each webhook is sent to: as many attempts at once as its endpoint bears, as often as its owner allows, and
only probes while its breaker is open (I6)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from elasticlake.delivery.breaker import Breaker, State
from elasticlake.model.rules import MAX_CONCURRENCY, Rules
from elasticlake.model.webhooks import Webhook

OF_THE_EVENT = frozenset({400, 402, 406, 409, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431, 451})
"""Statuses that tell of what was sent, not of who was asked."""
OVERLOAD = frozenset({429, 502, 503, 504})
"""Statuses that ask for less."""
FIRST_LIMIT = 8.0
BURST_SECONDS = 0.1
"""How much of an unused rate is made up for."""


class Pace:
    """The pace of one webhook, as it is defined now. Times are a monotonic clock's seconds."""

    def __init__(self, rules: Rules, chance: random.Random) -> None:
        self._breaker = Breaker(chance)
        self._highest = float(rules.max_concurrency or MAX_CONCURRENCY)
        self._limit = min(FIRST_LIMIT, self._highest)
        self._eager = True
        self._interval = 1 / rules.rate_limit if rules.rate_limit else 0.0
        self._next_at = float("-inf")

    @property
    def limit(self) -> int:
        """How many attempts there may be at once: one more for each that succeeds while all are used, at first; later
        one more for each round of them; half as many after a failure."""
        return int(self._limit)

    @property
    def state(self) -> State:
        """The breaker's."""
        return self._breaker.state

    @property
    def probe_at(self) -> float:
        """The breaker's."""
        return self._breaker.probe_at

    def wait_seconds(self, in_flight: int, now: float) -> float | None:
        """How long until the next attempt may start; None: until one of those under way has ended."""
        if in_flight >= self.limit:
            return None
        waits = self._breaker.wait_seconds(now)
        return waits if waits is None else max(waits, self._next_at - now, 0.0)

    def begin(self, in_flight: int, now: float) -> Permit:
        """An attempt starts now, beside so many others."""
        if self._interval:
            self._next_at = max(self._next_at, now - BURST_SECONDS) + self._interval
        return Permit(self, self._breaker.begin(), in_flight + 1 >= self.limit)

    def succeeded(self, *, was_full: bool = False) -> None:
        """An attempt succeeded, `was_full` if it was the last that the limit allowed."""
        self._breaker.succeeded()
        if was_full:
            self._limit = min(self._highest, self._limit + (1 if self._eager else 1 / self._limit))

    def refused(self) -> None:
        """The endpoint is well: it would not take this one event."""
        self._breaker.succeeded()

    def failed(self, now: float, status: int | None, *, is_probe: bool) -> None:
        """An attempt failed, with that answer or (None) without one."""
        self._breaker.failed(now, is_probe=is_probe, was_answered=status is not None)
        if status is None or status in OVERLOAD:
            # An endpoint that answers keeps up, whatever it answers. Once it is back it is to catch up quickly.
            self._limit, self._eager = max(1.0, self._limit / 2), self._breaker.state != "closed"

    def gave_up(self) -> None:
        """A probe was not made after all."""
        self._breaker.gave_up()


@dataclass(slots=True)
class Permit:
    """One attempt's, from its start to its end, of which it tells once."""

    _pace: Pace
    is_probe: bool
    _was_full: bool
    _is_over: bool = False

    def succeeded(self) -> None:
        """The receiver took it."""
        self._is_over = True
        self._pace.succeeded(was_full=self._was_full)

    def failed(self, now: float, status: int | None) -> None:
        """The receiver did not, and answered that status, or (None) not at all."""
        self._is_over = True
        if status in OF_THE_EVENT:
            self._pace.refused()
        else:
            self._pace.failed(now, status, is_probe=self.is_probe)

    def over(self) -> None:
        """The attempt is no more; if it never came to an end, for a fault of ours, that says nothing."""
        if not self._is_over and self.is_probe:
            self._pace.gave_up()


@dataclass(slots=True)
class Paces:
    """The paces of all webhooks. A changed webhook begins anew: its endpoint may be another."""

    chance: random.Random
    _known: dict[str, tuple[int, Pace]] = field(default_factory=dict)

    def of(self, webhook: Webhook) -> Pace:
        """The webhook's."""
        known = self._known.get(webhook.id)
        if known is None or known[0] != webhook.revision:
            known = self._known[webhook.id] = (webhook.revision, Pace(webhook.rules, self.chance))
        return known[1]

    def forget(self, webhook_id: str) -> None:
        """The webhook is deleted, or another dispatcher's."""
        self._known.pop(webhook_id, None)

    def not_closed(self) -> list[tuple[str, int, Pace]]:
        """The webhooks whose breakers are not closed, as they were defined in that revision."""
        return [
            (webhook_id, revision, pace)
            for webhook_id, (revision, pace) in self._known.items()
            if pace.state != "closed"
        ]
