"""The feeds that are open, and what they read: positions and lanes where they begin, the log as they go."""

from __future__ import annotations

from dataclasses import replace

from elasticlake.delivery.feed import Budget, Feed, ParkedLane
from elasticlake.delivery.ledger import Ledger
from elasticlake.metadata import deliveries, events, webhooks
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.deliveries import Lane, Position
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook

READ_EVENTS = 128
MAX_UNSETTLED = 20_000
GUARANTEED_UNSETTLED = 256

FeedId = tuple[str, int]
"""A webhook's id and a bucket's."""


class Feeds:
    """Opens feeds and fills them from the databases."""

    def __init__(self, core: Database, state: Database, ledger: Ledger) -> None:
        self._core = core
        self._state = state
        self._ledger = ledger
        self._open: dict[FeedId, Feed] = {}
        self.budget = Budget()
        self._shares: dict[str, Budget] = {}

    def may_read(self, webhook_id: str) -> bool:
        """Whether the webhook may take more events into memory: no backlog spends what the others need (I6)."""
        used = self._share(webhook_id).used
        return used < GUARANTEED_UNSETTLED or (used < MAX_UNSETTLED // 10 and self.budget.used < MAX_UNSETTLED)

    def _share(self, webhook_id: str) -> Budget:
        return self._shares.setdefault(webhook_id, Budget(whole=self.budget))

    def forget(self, webhook_id: str) -> None:
        """The webhook is deleted."""
        self._shares.pop(webhook_id, None)

    def get(self, feed_id: FeedId) -> Feed | None:
        return self._open.get(feed_id)

    def all(self) -> list[Feed]:
        return list(self._open.values())

    async def open(self, webhook: Webhook, bucket_id: int) -> Feed:
        """The feed of the webhook in the bucket, resumed if it is not open yet."""
        feed_id = (webhook.id, bucket_id)
        if feed_id in self._open:
            return self._open[feed_id]
        start = await self._core.read(lambda reader: webhooks.start(reader, webhook.id, bucket_id))
        position, lanes = await self._state.read(lambda reader: _stored(reader, webhook.id, bucket_id))
        if position is None:
            first = await self._core.read(lambda reader: webhooks.first_sequence(reader, bucket_id))
            position = Position(webhook.id, bucket_id, max(start, first - 1))
        is_reordered = any(lane.ordering != webhook.ordering for lane in lanes)
        if is_reordered:
            # What its lanes mean has changed: go back to the first event that they hold, and park anew what still
            # fails.
            self._ledger.drop_lanes(lanes)
            earliest = min(lane.head_sequence for lane in lanes) - 1
            position = replace(position, sequence=min(position.sequence, earliest))
            lanes = []
        feed = Feed.resume(position, lanes, webhook.ordering, frozenset(webhook.events), self._share(webhook.id))
        if is_reordered:
            # Together with the lanes' end: a crash between the two would lose what they held.
            self._ledger.moved(feed)
        if start > feed.position:
            # Its owner chose to go on from now: what waited is canceled.
            dropped = list(feed.lanes.values())
            feed.skip_to(start)
            for lane in dropped:
                self._ledger.lane_changed(feed, lane)
            self._ledger.moved(feed)
        await self._abandon_lanes(feed, start)
        feed.revision = webhook.revision
        self._open[feed_id] = feed
        return feed

    async def _abandon_lanes(self, feed: Feed, start: int) -> None:
        """Cancel the heads that its owner gave up by going on from now; what came after that is still due."""
        for lane in [lane for lane in feed.lanes.values() if lane.head_sequence <= start]:
            lane.head_sequence = start
            feed.advance_lane(lane, "canceled", await self.following(feed, lane), 0)
            self._ledger.lane_changed(feed, lane)

    def close(self, feed: Feed) -> None:
        """Let go of the feed; opened again, it goes on from what was stored."""
        self._open.pop((feed.webhook_id, feed.bucket_id), None)
        feed.give_back_budget()

    async def read_on(self, feed: Feed, head: int) -> bool:
        """Take the log's next events into the window; whether there were any."""
        if not feed.may_read or head <= feed.read_up_to:
            return False
        found = await self._core.read(
            lambda reader: events.after(reader, feed.bucket_id, feed.read_up_to, READ_EVENTS), loose=True
        )
        if self.get((feed.webhook_id, feed.bucket_id)) is not feed:
            # It was closed while we read.
            return False
        before = feed.position
        feed.add(found)
        if feed.position != before:
            self._ledger.moved(feed)
        return bool(found)

    async def head_of(self, feed: Feed, lane: ParkedLane) -> Event | None:
        """The event that the lane waits to send; None if the log no longer has it."""
        return await self._core.read(lambda reader: events.get(reader, feed.bucket_id, lane.head_sequence), loose=True)

    async def following(self, feed: Feed, lane: ParkedLane) -> Event | None:
        """The lane's next event among those that the position has passed: they cost no row, so they are looked up
        now."""
        if feed.ordering == "none":
            return None
        beyond = lane.head_sequence
        while beyond < feed.read_up_to:
            up_to = feed.read_up_to
            batch = await self._core.read(lambda reader: self._batch(reader, feed, lane, beyond, up_to), loose=True)  # noqa: B023
            for event in batch:
                if event.type in feed.event_types:
                    return event
            beyond = batch[-1].sequence if batch else up_to
        return None

    def _batch(self, reader: Reader, feed: Feed, lane: ParkedLane, beyond: int, up_to: int) -> list[Event]:
        if feed.ordering == "bucket":
            found = events.after(reader, feed.bucket_id, beyond, READ_EVENTS)
            return [event for event in found if event.sequence <= up_to]
        return events.of_key(reader, feed.bucket_id, lane.key, beyond, up_to, READ_EVENTS)


def _stored(reader: Reader, webhook_id: str, bucket_id: int) -> tuple[Position | None, list[Lane]]:
    return (
        deliveries.get_position(reader, webhook_id, bucket_id),
        deliveries.lanes_of_feed(reader, webhook_id, bucket_id),
    )
