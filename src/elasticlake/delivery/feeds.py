"""The feeds that are open, and what they read: positions and lanes where they begin, the log as they go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog

from elasticlake.delivery.batching import Batching
from elasticlake.delivery.coalescing import Following, coalesced
from elasticlake.delivery.composer import weight
from elasticlake.delivery.feed import Budget, Feed, ParkedLane
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.reordering import back_to_lanes
from elasticlake.delivery.where_failures import count_failures
from elasticlake.metadata import buckets, deliveries, events, webhooks
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.deliveries import Lane, Position
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook
from elasticlake.service.one_by_one import one_by_one
from elasticlake.service.selection import select

READ_EVENTS = 128
MAX_UNSETTLED = 20_000
GUARANTEED_UNSETTLED = 256

_log = structlog.get_logger("delivery")
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
        self.on_expired: Callable[[int], None] = lambda expired: None
        """Told of events that retention took before they were delivered."""
        self.on_outdated: Callable[[Feed], None] = lambda feed: None
        """Told of a feed whose webhook was changed, or deleted, since it was opened."""

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
            origin = await self._core.read(lambda reader: buckets.origin(reader, bucket_id))
            position = Position(webhook.id, bucket_id, max(start, origin))
        is_reordered = any(lane.ordering != webhook.ordering for lane in lanes)
        if is_reordered:
            # What its lanes mean has changed: go back to the first event that they hold, and park anew what still
            # fails.
            self._ledger.drop_lanes(lanes)
            first = await self._core.read(lambda reader: buckets.first_sequence(reader, bucket_id))
            before, position = position, back_to_lanes(position, lanes, first)
            self.on_expired(position.expired - before.expired)
            lanes = []
        selection = select(webhook.events, webhook.rules, count_failures(self._ledger, webhook))
        feed = Feed.resume(position, lanes, webhook.ordering, selection, self._share(webhook.id))
        feed.on_expired = self.on_expired
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
        feed.revision, feed.coalesces = webhook.revision, webhook.rules.coalesce
        _batch(feed, webhook)
        self._open[feed_id] = feed
        return feed

    async def _abandon_lanes(self, feed: Feed, start: int) -> None:
        """Cancel the heads that its owner gave up by going on from now; what came after that is still due."""
        for lane in [lane for lane in feed.lanes.values() if lane.head_sequence <= start]:
            lane.head_sequence = start
            following = await self.following(feed, lane)
            feed.advance_lane(lane, "canceled", following, 0)
            self._ledger.lane_changed(feed, lane)

    def close(self, feed: Feed) -> None:
        """Let go of the feed; opened again, it goes on from what was stored."""
        self._open.pop((feed.webhook_id, feed.bucket_id), None)
        feed.give_back_budget()

    async def read_on(self, feed: Feed, head: int) -> bool:
        """Take the log's next events into the window; whether there were any.

        Not where the webhook is not what it was: the change may have come before them, and is to apply to them.
        """
        if not feed.may_read or head <= feed.read_up_to:
            return False
        found, revision = await self._core.read(lambda reader: _log_and_revision(reader, feed), loose=True)
        if revision != feed.revision:
            self.on_outdated(feed)
            return False
        trimmed = await self._trimmed(feed, found)
        if self.get((feed.webhook_id, feed.bucket_id)) is not feed:
            # It was closed while we read.
            return False
        before = feed.position
        expired = feed.expire(trimmed)
        if expired:
            # Before it can be closed: what is counted is written.
            self._ledger.moved(feed)
            facts = {"webhook": feed.webhook_id, "bucket_id": feed.bucket_id, "first_sequence": trimmed + 1}
            _log.warning("events expired before they were delivered", events=expired, **facts)
        if not await self._add(feed, found):
            return False
        if feed.position != before:
            self._ledger.moved(feed)
        return bool(found or expired)

    async def _add(self, feed: Feed, found: list[Event]) -> bool:
        """Take the events in; False if the feed was closed meanwhile, so that nothing of it counts any more.

        Where that takes long, how far it has come is stored on the way: after a crash it goes on there.
        """
        if not feed.selection.is_slow:
            feed.add(found)
            return True
        async for event in one_by_one(found, feed.selection):
            if self.get((feed.webhook_id, feed.bucket_id)) is not feed:
                return False
            before = feed.position
            feed.add([event])
            if feed.position != before:
                self._ledger.moved(feed)
        return self.get((feed.webhook_id, feed.bucket_id)) is feed

    async def _trimmed(self, feed: Feed, found: list[Event]) -> int:
        """Up to which sequence retention has taken what comes before the events found; 0 if that is all there."""
        if found and found[0].sequence == feed.read_up_to + 1:
            return 0
        first = await self._core.read(lambda reader: buckets.first_sequence(reader, feed.bucket_id), loose=True)
        return min(first, found[0].sequence if found else first) - 1

    async def head_of(self, feed: Feed, lane: ParkedLane) -> Event | None:
        """The event that the lane waits to send; None if the log no longer has it."""
        return await self._core.read(lambda reader: events.get(reader, feed.bucket_id, lane.head_sequence), loose=True)

    async def following(self, feed: Feed, lane: ParkedLane) -> Following:
        """The lane's next event among those that the position has passed: they cost no row, so they are looked up
        now. With `bucket` order it is known how many before it are gone."""
        if feed.ordering == "none":
            return Following()
        while True:
            found = await self._next(feed, lane)
            read_up_to = feed.read_up_to
            expired = await self._gone_behind(feed, lane, found.event) if feed.ordering == "bucket" else 0
            if feed.read_up_to == read_up_to:
                return found._replace(expired=expired)

    async def _gone_behind(self, feed: Feed, lane: ParkedLane, following: Event | None) -> int:
        """How many events retention took between the lane's head and what follows, or all that was read."""
        last = max(lane.head_sequence, lane.end_sequence)
        next_sequence = following.sequence if following is not None else feed.read_up_to + 1
        if next_sequence <= last + 1:
            return 0
        first = await self._core.read(lambda reader: buckets.first_sequence(reader, feed.bucket_id), loose=True)
        return max(0, min(first, next_sequence) - 1 - last)

    async def _next(self, feed: Feed, lane: ParkedLane) -> Following:
        if feed.batching is not None:
            return await self._following_batch(feed, feed.batching, lane)
        if not feed.coalesces:
            async for event in self._behind(feed, lane):
                return Following(event)
            return Following()
        return await coalesced(self._behind(feed, lane))

    async def _following_batch(self, feed: Feed, batching: Batching, lane: ParkedLane) -> Following:
        waiting: list[Event] = []
        async for event in self._behind(feed, lane):
            waiting.append(event)
            if len(waiting) == batching.max_events:
                break
        if not waiting:
            return Following()
        also = batching.fill(waiting[0], waiting[1:])
        return Following(waiting[0], end_sequence=also[-1].sequence if also else 0)

    async def batch_of(self, feed: Feed, lane: ParkedLane) -> tuple[Event, ...]:
        """What goes in one request with the lane's head: what was composed once."""
        found: list[Event] = []
        beyond = lane.head_sequence
        while beyond < lane.end_sequence:
            read = await self._core.read(
                lambda reader: events.after(reader, feed.bucket_id, beyond, READ_EVENTS),  # noqa: B023
                loose=True,
            )
            within = [event for event in read if event.sequence <= lane.end_sequence]
            found += [event async for event in one_by_one(within, feed.selection) if feed.selection.selects(event)]
            beyond = read[-1].sequence if read else lane.end_sequence
        return tuple(found)

    async def _behind(self, feed: Feed, lane: ParkedLane) -> AsyncIterator[Event]:
        """What the webhook wants of the lane's events behind its head, as far as the log was read."""
        beyond = max(lane.head_sequence, lane.end_sequence)
        while beyond < feed.read_up_to:
            up_to = feed.read_up_to
            batch = await self._core.read(lambda reader: self._page(reader, feed, lane, beyond, up_to), loose=True)  # noqa: B023
            async for event in one_by_one(batch, feed.selection):
                if feed.selection.selects(event):
                    yield event
            beyond = batch[-1].sequence if batch else up_to

    def _page(self, reader: Reader, feed: Feed, lane: ParkedLane, beyond: int, up_to: int) -> list[Event]:
        if feed.ordering == "bucket":
            found = events.after(reader, feed.bucket_id, beyond, READ_EVENTS)
            return [event for event in found if event.sequence <= up_to]
        return events.of_key(reader, feed.bucket_id, lane.key, beyond, up_to, READ_EVENTS)


def _batch(feed: Feed, webhook: Webhook) -> None:
    """Let the feed compose batches, if its webhook asks for them."""
    batch = webhook.rules.batch
    if batch is not None:
        feed.batching = Batching(batch.max_events, batch.max_wait_ms, partial(weight, webhook))
        return
    for lane in feed.lanes.values():
        # Composed when it did: from now on each goes alone.
        lane.end_sequence = 0


def _log_and_revision(reader: Reader, feed: Feed) -> tuple[list[Event], int | None]:
    """The log's next events, and then, of that moment or a later one, the webhook's revision."""
    found = events.after(reader, feed.bucket_id, feed.read_up_to, READ_EVENTS)
    return found, webhooks.revision(reader, feed.webhook_id)


def _stored(reader: Reader, webhook_id: str, bucket_id: int) -> tuple[Position | None, list[Lane]]:
    return (
        deliveries.get_position(reader, webhook_id, bucket_id),
        deliveries.lanes_of_feed(reader, webhook_id, bucket_id),
    )
