"""How delivery stands: what is under way, what waits, and how far behind each webhook is. For the metrics alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.feed import Feed
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.pace import Paces
from elasticlake.delivery.roster import Roster
from elasticlake.metadata.database import Database
from elasticlake.service.backlog import FirstWaiting, first_times
from elasticlake.service.metrics import Metrics

MEASURE_SECONDS = 5.0
_AT_ONCE = 100

_log = structlog.get_logger("delivery")


class Standing:
    """Measures now and then. `in_flight` counts attempts under way; `head_of` is a bucket's last known sequence."""

    def __init__(
        self,
        core: Database,
        feeds: Feeds,
        roster: Roster,
        paces: Paces,
        in_flight: Callable[[], int],
        head_of: Callable[[int], int],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._core = core
        self._feeds = feeds
        self._roster = roster
        self._paces = paces
        self._in_flight = in_flight
        self._head_of = head_of
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Measure for ever; a fault costs one measurement."""
        while True:
            await asyncio.sleep(MEASURE_SECONDS)
            try:
                await self.measure()
            except Exception as error:
                _log.warning("could not measure deliveries", error=str(error))

    async def measure(self) -> None:
        """Look once, and tell the metrics."""
        feeds = self._feeds.all()
        enabled = [feed for feed in feeds if self._is_enabled(feed)]
        oldest_seconds = await self._oldest_seconds(enabled)
        self._metrics.backlogs(self._backlogs(enabled))
        self._metrics.delivery_state(self._in_flight(), sum(len(feed.lanes) for feed in feeds), oldest_seconds)
        self._metrics.breakers([webhook_id for webhook_id, _, _ in self._paces.not_closed()])
        self._metrics.webhooks(Counter(webhook.status for webhook in self._roster.webhooks))

    def _is_enabled(self, feed: Feed) -> bool:
        webhook = self._roster.get(feed.webhook_id)
        return webhook is not None and webhook.status == "enabled"

    def _backlogs(self, feeds: list[Feed]) -> dict[str, int]:
        """How many events lie beyond each webhook's positions; webhooks without any are left out."""
        backlogs: Counter[str] = Counter()
        for feed in feeds:
            backlogs[feed.webhook_id] += max(0, self._head_of(feed.bucket_id) - feed.position)
        return {webhook_id: count for webhook_id, count in backlogs.items() if count}

    async def _oldest_seconds(self, feeds: list[Feed]) -> dict[str, float]:
        """The age of each webhook's oldest event that has not arrived; webhooks that wait for nothing are left out."""
        oldest: dict[str, float] = {}
        for start in range(0, len(feeds), _AT_ONCE):
            waiting = self._waiting(feeds[start : start + _AT_ONCE])
            times = await self._core.read(lambda reader: first_times(reader, waiting))  # noqa: B023
            for spot, time_ms in times:
                age_seconds = max(0.0, (self._clock.now_ms() - time_ms) / 1000)
                oldest[spot.webhook_id] = max(age_seconds, oldest.get(spot.webhook_id, 0.0))
            await asyncio.sleep(0)
        return oldest

    def _waiting(self, feeds: list[Feed]) -> list[FirstWaiting]:
        """What has not arrived and comes first, of those of the feeds for which something waits."""
        found = [(feed, self._oldest_sequence(feed)) for feed in feeds]
        return [
            FirstWaiting(feed.webhook_id, feed.bucket_id, sequence) for feed, sequence in found if sequence is not None
        ]

    def _oldest_sequence(self, feed: Feed) -> int | None:
        heads = [lane.head_sequence for lane in feed.lanes.values()]
        if feed.position < self._head_of(feed.bucket_id):
            heads.append(feed.position + 1)
        return min(heads, default=None)
