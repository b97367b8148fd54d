"""What was attempted for webhooks, and how it ended: in steps of time, and in all.

Statistics are counted with the history of attempts and forgotten with it: there are none without it, for days that it
does not keep, and of attempts that an older version made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from elasticlake.clock import Clock
from elasticlake.errors import InvalidInput
from elasticlake.metadata import webhooks
from elasticlake.metadata.attempt_statistics import SLOT_MS, Step
from elasticlake.metadata.database import Database
from elasticlake.metadata.history import History
from elasticlake.model.accounts import Token
from elasticlake.model.attempt_counts import AttemptCounts, total
from elasticlake.service.webhooks import visible_webhook

T = TypeVar("T")
StepLength = Literal["5m", "1h", "1d"]
MAX_STEPS = 1000
_SLOTS: dict[StepLength, int] = {"5m": 1, "1h": 12, "1d": 288}
_HOUR = _SLOTS["1h"]
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Interval:
    """What was attempted from that time on, for as long as a step is."""

    start_ms: int
    counts: AttemptCounts


@dataclass(frozen=True, slots=True)
class Series:
    """A webhook's attempts that began from `since_ms` to before `until_ms`; every step is there, in order."""

    since_ms: int
    until_ms: int
    step: StepLength
    steps: list[Interval]
    totals: AttemptCounts


@dataclass(frozen=True, slots=True)
class Recent:
    """A webhook's last hours, the current one last, for a line in a list."""

    hours: list[Interval]
    totals: AttemptCounts


class Statistics:
    """Reads of the statistics. `history` is this one's own: it is asked in a thread, by one at a time."""

    def __init__(self, core: Database, history: History, clock: Clock) -> None:
        self._core = core
        self._history = history
        self._one_asks = asyncio.Lock()
        self._clock = clock

    async def of_webhook(
        self, token: Token, webhook_id: str, since_ms: int | None, until_ms: int | None, step: StepLength = "1h"
    ) -> Series:
        """The webhook's attempts of that time, as far as it has passed, widened to whole steps (UTC); by default the
        day before `until_ms`, and that is now. Raises `NoSuchWebhook`, and `InvalidInput` where nothing or too much is
        asked for."""
        await self._core.read(lambda reader: visible_webhook(reader, token, webhook_id))
        now_ms = self._clock.now_ms()
        until = now_ms if until_ms is None else min(until_ms, now_ms)
        since = max(0, until - _DAY_MS if since_ms is None else since_ms)
        first, end = _whole_steps(since, until, _SLOTS[step])
        found = await self._ask(lambda history: history.statistics([webhook_id], first, end, _SLOTS[step]))
        steps = _intervals(found, first, end, _SLOTS[step])
        return Series(first * SLOT_MS, end * SLOT_MS, step, steps, total(interval.counts for interval in steps))

    async def of_webhooks(self, token: Token, webhook_ids: Sequence[str], hours: int = 24) -> dict[str, Recent]:
        """The last so many hours of those of the webhooks that the token reaches."""
        owners = await self._core.read(lambda reader: webhooks.owners(reader, webhook_ids))
        visible = [webhook_id for webhook_id, account_id in owners.items() if token.covers(account_id)]
        end = (self._clock.now_ms() // SLOT_MS // _HOUR + 1) * _HOUR
        first = end - hours * _HOUR
        found = await self._ask(lambda history: history.statistics(visible, first, end, _HOUR))
        steps: dict[str, list[Step]] = {webhook_id: [] for webhook_id in visible}
        for step in found:
            steps[step.webhook_id].append(step)
        return {
            webhook_id: Recent(_intervals(own, first, end, _HOUR), total(step.counts for step in own))
            for webhook_id, own in steps.items()
        }

    async def _ask(self, question: Callable[[History], T]) -> T:
        async with self._one_asks:
            return await asyncio.to_thread(question, self._history)


def _whole_steps(since_ms: int, until_ms: int, slots: int) -> tuple[int, int]:
    """The first slot of the first step, and the one behind the last step."""
    if until_ms <= since_ms:
        raise InvalidInput("since", "since must be earlier than until, and than now.")
    length_ms = slots * SLOT_MS
    first, end = since_ms // length_ms, -(-until_ms // length_ms)
    if end - first > MAX_STEPS:
        raise InvalidInput("step", f"That is {end - first} steps; at most {MAX_STEPS} are answered at once.")
    return first * slots, end * slots


def _intervals(found: Sequence[Step], first: int, end: int, slots: int) -> list[Interval]:
    counts = {step.first_slot: step.counts for step in found}
    nothing = AttemptCounts()
    return [Interval(slot * SLOT_MS, counts.get(slot, nothing)) for slot in range(first, end, slots)]
