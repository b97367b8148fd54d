"""Whose turn it is: feeds with something to do, one after the other; those that wait for a moment, or for room."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from elasticlake.clock import Clock
from elasticlake.delivery.alarms import Alarms
from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.delivery.feeds import FeedId, Feeds


class Turns:
    """Round-robin over feeds. `wake` is called when there is something to do."""

    def __init__(self, feeds: Feeds, clock: Clock, wake: Callable[[], None]) -> None:
        self._feeds = feeds
        self._clock = clock
        self._wake = wake
        self._next: dict[FeedId, None] = {}
        self._blocked: dict[str, dict[FeedId, None]] = {}
        self._without_retry: dict[FeedId, None] = {}
        self._due: list[tuple[int, int, FeedId, ParkedLane]] = []
        self._opens: Alarms[str] = Alarms()
        self._later: Alarms[FeedId] = Alarms()
        self._entries = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._next)

    def give(self, feed_id: FeedId) -> None:
        """The feed has something to do; its turn comes after those that wait already."""
        self._next[feed_id] = None
        self._wake()

    def give_later(self, feed_id: FeedId, seconds: float) -> None:
        """The feed has something to do then."""
        if self._later.set(feed_id, self._clock.monotonic() + seconds):
            self._wake()

    def take(self) -> FeedId:
        """The feed whose turn it is. There is one."""
        feed_id = next(iter(self._next))
        del self._next[feed_id]
        return feed_id

    def schedule(self, feed: Feed, lane: ParkedLane) -> None:
        """The lane's next attempt is due then."""
        feed_id = (feed.webhook_id, feed.bucket_id)
        heapq.heappush(self._due, (lane.next_attempt_at_ms, next(self._entries), feed_id, lane))
        self._wake()

    def block(self, feed_id: FeedId, seconds: float | None) -> None:
        """Its webhook may send no more for so many seconds, or (None) until an attempt of its has ended."""
        webhook_id = feed_id[0]
        self._blocked.setdefault(webhook_id, {})[feed_id] = None
        if seconds is not None and self._opens.set(webhook_id, self._clock.monotonic() + seconds):
            self._wake()

    def block_retry(self, feed_id: FeedId) -> None:
        """All slots for retries are taken."""
        self._without_retry[feed_id] = None

    def unblock(self, webhook_id: str) -> None:
        """The webhook may send one more: the feed that has waited longest gets a turn."""
        blocked = self._blocked.get(webhook_id)
        if blocked:
            self.give(_pop_first(blocked))
        elif blocked is not None:
            del self._blocked[webhook_id]

    def unblock_retry(self) -> None:
        """A slot for a retry is free."""
        if self._without_retry:
            self.give(_pop_first(self._without_retry))

    def collect(self) -> None:
        """Give a turn to whatever is due by now."""
        now_ms, now = self._clock.now_ms(), self._clock.monotonic()
        while self._due and self._due[0][0] <= now_ms:
            due_at_ms, _, feed_id, lane = heapq.heappop(self._due)
            feed = self._feeds.get(feed_id)
            # A feed that was closed and opened again holds its lanes anew, and each was scheduled anew.
            is_known = feed is not None and feed.lanes.get(lane.key) is lane
            if feed is not None and is_known and lane.next_attempt_at_ms == due_at_ms:
                feed.due.append(lane)
                self._next[feed_id] = None
        for feed_id in self._later.due(now):
            self._next[feed_id] = None
        for webhook_id in self._opens.due(now):
            self.unblock(webhook_id)

    def seconds_to_next(self, at_most: float) -> float:
        """How long until something is due."""
        seconds = at_most
        if self._due:
            seconds = min(seconds, (self._due[0][0] - self._clock.now_ms()) / 1000)
        next_at = min(self._opens.next_at, self._later.next_at)
        return max(0.0, min(seconds, next_at - self._clock.monotonic()))


def _pop_first(feeds: dict[FeedId, None]) -> FeedId:
    feed_id = next(iter(feeds))
    del feeds[feed_id]
    return feed_id
