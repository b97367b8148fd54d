"""What there is to deliver: how far the logs go, which webhooks there are, and which feeds a change has outdated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from elasticlake.delivery.failing import Failing
from elasticlake.delivery.feed import Feed
from elasticlake.delivery.feeds import FeedId, Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.pace import Paces
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.turns import Turns
from elasticlake.delivery.wakeup import Heads
from elasticlake.metadata import deliveries, failing_webhooks, webhooks
from elasticlake.metadata.database import Database
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.webhooks import Webhook


class Lookout:
    """Gives turns to feeds that have something to do. `wake` is called when a look is due at once."""

    def __init__(
        self,
        core: Database,
        state: Database,
        roster: Roster,
        membership: Membership,
        feeds: Feeds,
        turns: Turns,
        paces: Paces,
        failing: Failing,
        ledger: Ledger,
        wake: Callable[[], None],
    ) -> None:
        self._core = core
        self._state = state
        self._roster = roster
        self._membership = membership
        self._feeds = feeds
        self._turns = turns
        self._paces = paces
        self._failing = failing
        self._ledger = ledger
        self._wake = wake
        self._places: dict[int, BucketPlace] = {}
        self._heads: Heads = {}
        self._outdated: set[FeedId] = set()
        self._halted: dict[str, int] = {}
        self._is_roster_new = False
        self._are_lanes_new = False
        self.is_due = True
        """Whether to look again at once."""

    # What is known.

    def head(self, bucket_id: int) -> int:
        """The last sequence of the bucket's log."""
        return self._heads.get(bucket_id, 0)

    def has_more(self, feed: Feed) -> bool:
        """Whether the log goes on beyond what was read of it."""
        return feed.read_up_to < self.head(feed.bucket_id)

    def is_outdated(self, feed_id: FeedId) -> bool:
        """Whether the feed is to be closed, and opened as its webhook is now."""
        return feed_id in self._outdated

    def may_send(self, webhook: Webhook) -> bool:
        """Whether anything of the webhook may be sent, by us."""
        is_halted = self._halted.get(webhook.id) == webhook.revision
        return webhook.status == "enabled" and not is_halted and self._membership.may_send(webhook.id)

    # What others tell.

    def raise_heads(self, heads: Heads) -> None:
        """The logs of these buckets have grown."""
        for bucket_id, sequence in heads.items():
            self._raise_head(bucket_id, sequence)

    def look_soon(self) -> None:
        """Something has changed that no log tells of."""
        self.is_due = True
        self._wake()

    def halt(self, webhook: Webhook) -> None:
        """Send no more of what waits, from this moment on: until it is disabled, or changed."""
        self._halted[webhook.id] = webhook.revision

    def go_on(self, webhook: Webhook) -> None:
        """It could not be disabled."""
        self._halted.pop(webhook.id, None)

    def outdate(self, feeds: Iterable[Feed]) -> None:
        """Close these once nothing of theirs is under way or unwritten."""
        self._outdated.update((feed.webhook_id, feed.bucket_id) for feed in feeds)
        self._wake()

    def learn_of(self, feed: Feed) -> None:
        """The feed's webhook was changed before we were told."""
        self.outdate([feed])
        self._roster.distrust()
        self.look_soon()

    async def is_current(self, webhook_id: str) -> bool:
        """Whether we know the webhook as it was defined when what we have just read was written, or later; if not, we
        will soon."""
        webhook = self._roster.get(webhook_id)
        is_known = await self._revision(webhook_id) == (webhook.revision if webhook is not None else None)
        if not is_known:
            self._roster.distrust()
            self.look_soon()
        return is_known

    def begin_anew(self) -> None:
        """What we may send is not what it was: look at every log and lane again."""
        self._heads.clear()
        self._are_lanes_new = True
        self.look_soon()

    def forget(self, webhook_id: str) -> None:
        """The webhook is another dispatcher's: what we know of its endpoint will be old when it comes back."""
        self._paces.forget(webhook_id)
        self._failing.forget(webhook_id)

    # Looking.

    async def learn_webhooks(self) -> bool:
        """Read the webhooks' definitions if any has changed; whether one has."""
        is_new = await self._core.read(self._roster.refresh)
        self._is_roster_new = self._is_roster_new or is_new
        return is_new

    async def apply_changes(self) -> None:
        """Do what follows from other definitions, or from other webhooks that are ours."""
        if self._is_roster_new:
            await self._apply_roster()
            self._is_roster_new = False
        if self._are_lanes_new:
            self._are_lanes_new = False
            await self._find_lanes()

    async def places(self) -> list[BucketPlace]:
        """Every bucket as it is now."""
        return await self._core.read(webhooks.all_places)

    def look_at(self, places: Iterable[BucketPlace]) -> None:
        """Find what no wake-up told, or a lost one did."""
        for place in places:
            self._places[place.id] = place
            self._raise_head(place.id, place.sequence)
        for feed in self._feeds.all():
            if feed.ready or feed.due or self.has_more(feed):
                self._turns.give((feed.webhook_id, feed.bucket_id))

    async def close_outdated(self) -> None:
        """Close feeds of changed webhooks once nothing of theirs is under way or unwritten, and let them open again."""
        if not self._outdated:
            return
        await self._ledger.flush()
        for feed_id in list(self._outdated):
            feed = self._feeds.get(feed_id)
            if feed is not None and (feed.in_flight or self._ledger.is_unwritten(feed)):
                continue
            if feed is not None:
                self._feeds.close(feed)
            self._outdated.discard(feed_id)
            self._turns.give(feed_id)

    async def _apply_roster(self) -> None:
        """Webhooks were made, changed or deleted: close their feeds, which open again as the webhooks now are."""
        await self._forget_deleted()
        for feed in self._feeds.all():
            webhook = self._roster.get(feed.webhook_id)
            if webhook is None:
                self._feeds.close(feed)
            elif webhook.revision != feed.revision or webhook.status != "enabled":
                self._outdated.add((feed.webhook_id, feed.bucket_id))
        await self.close_outdated()
        for webhook_id, revision in list(self._halted.items()):
            webhook = self._roster.get(webhook_id)
            if webhook is None or webhook.revision != revision:
                del self._halted[webhook_id]
        await self._find_lanes()
        self._heads.clear()

    async def _find_lanes(self) -> None:
        """Feeds with lanes have something to do, whether or not their log grows."""
        self._failing.learn(await self._state.read(failing_webhooks.everyone, loose=True))
        for webhook_id, bucket_id in await self._state.read(deliveries.feeds_with_lanes, loose=True):
            if self._membership.may_send(webhook_id):
                self._turns.give((webhook_id, bucket_id))

    async def _forget_deleted(self) -> None:
        """Outcomes that were on their way when a webhook was deleted may have come after its end."""
        for webhook_id in await self._state.read(deliveries.known_webhooks):
            if self._roster.get(webhook_id) is None and await self._revision(webhook_id) is None:
                for known in (self._ledger, self._feeds, self._paces, self._failing):
                    known.forget(webhook_id)
                await self._state.write(partial(deliveries.forget_webhook, webhook_id=webhook_id))

    async def _revision(self, webhook_id: str) -> int | None:
        """The webhook's, not before the deliveries' store was last read; None if it is deleted."""
        # The core's snapshot of this turn may be older than that: it may lack what was made or changed since.
        await asyncio.sleep(0)
        return await self._core.read(lambda reader: webhooks.revision(reader, webhook_id), loose=True)

    def _raise_head(self, bucket_id: int, sequence: int) -> None:
        if sequence <= self._heads.get(bucket_id, -1):
            return
        place = self._places.get(bucket_id)
        if place is None:
            # A bucket made since the last look; the next one is due at once.
            self.is_due = True
            return
        self._heads[bucket_id] = sequence
        for webhook in self._roster.matching(place):
            if self._membership.may_send(webhook.id):
                self._turns.give((webhook.id, bucket_id))
