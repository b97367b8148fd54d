"""What of a backfilled object there is to tell, so that it never overtakes what the log tells of its key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

from elasticlake.delivery.feed import Feed
from elasticlake.metadata import events
from elasticlake.metadata.database import Database, Reader
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook, lane_key
from elasticlake.service.job_source import backfill_of, is_backfilled

Nothing = Literal["told", "busy", "parked"]
"""Why nothing is sent now. `told`: never, since the object is gone, or the log tells of it. `busy`: earlier events of
its lane are under way. `parked`: the first of these fails."""

OpenFeed = Callable[[Webhook, int], Awaitable[Feed | None]]
"""The webhook's feed in the bucket; None while it may not be used."""


class Backfills:
    """Holds back a key's own events while its object is told of. `let_go` is called when they may go again."""

    def __init__(self, core: Database, open_feed: OpenFeed, let_go: Callable[[Feed], None]) -> None:
        self._core = core
        self._open_feed = open_feed
        self._let_go = let_go

    @asynccontextmanager
    async def telling(
        self, webhook: Webhook, bucket_id: int, key: bytes, job_id: str
    ) -> AsyncIterator[Event | Nothing]:
        """The event to send while this lasts, or why there is none."""
        feed = await self._open_feed(webhook, bucket_id)
        if feed is None:
            yield "busy"
            return
        lane = lane_key(webhook.ordering, key, 0)
        is_held = feed.hold(lane)
        # Whatever closes feeds waits for those that are in use.
        feed.in_flight += 1
        try:
            yield await self._find(feed, lane, key, job_id, is_held=is_held)
        finally:
            feed.in_flight -= 1
            if is_held:
                feed.release(lane)
            self._let_go(feed)

    async def _find(self, feed: Feed, lane: bytes, key: bytes, job_id: str, *, is_held: bool) -> Event | Nothing:
        """While the lane is held, whatever is read of the log for it meanwhile waits."""

        def look(reader: Reader) -> tuple[Event | None, Event | None]:
            told = backfill_of(reader, job_id, feed.bucket_id, key)
            return told, events.get(reader, feed.bucket_id, told.sequence) if told is not None else None

        told, cause = await self._core.read(look)
        if told is None or not is_backfilled(feed.selection, told):
            return "told"
        parked = feed.lanes.get(lane)
        waits = parked is not None or feed.waits(lane, key) or told.sequence > feed.read_up_to
        # With `bucket` order the parked head may be another key's, and the object's own event settled before it.
        is_before_head = feed.ordering == "bucket" and parked is not None and told.sequence < parked.head_sequence
        if waits and not is_before_head and cause is not None and feed.selection.selects(cause):
            return "told"
        if is_held:
            # The log has older events of the key than the object's last, which this one must not overtake.
            return "busy" if waits else told
        return "parked" if parked is not None else "busy"
