"""An older state of the database that takes over, as after a failover: what was read since may not be true any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import structlog

from elasticlake.delivery.feed import Feed
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.flights import Flights
from elasticlake.delivery.jobs import Jobs
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.requested import RequestedDeliveries
from elasticlake.metadata.database import Database
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.service.clamp import clamp_positions

_log = structlog.get_logger("delivery")


class Rewinding:
    """Forgets what was read beyond what the database knows: other events get those sequences, and would be passed
    over."""

    def __init__(
        self,
        core: Database,
        state: Database,
        feeds: Feeds,
        flights: Flights,
        requested: RequestedDeliveries,
        jobs: Jobs,
        ledger: Ledger,
        begin_anew: Callable[[], None],
    ) -> None:
        self._core = core
        self._state = state
        self._feeds = feeds
        self._flights = flights
        self._requested = requested
        self._jobs = jobs
        self._ledger = ledger
        self._begin_anew = begin_anew

    async def look(self, places: Iterable[BucketPlace]) -> None:
        """Go back where one has taken over."""
        timeline = await self._core.read(lambda reader: reader.timeline(), loose=True)
        is_another = self._ledger.timeline not in (None, timeline)
        beyond = self._feeds.all() if is_another else self._beyond(places)
        if is_another or beyond:
            others = self._requested.webhooks | self._ledger.webhooks if is_another else ()
            await self._go_back(beyond, others)
            self._begin_anew()
        self._ledger.timeline = timeline

    def _beyond(self, places: Iterable[BucketPlace]) -> list[Feed]:
        ends = {place.id: place.sequence for place in places}
        return [feed for feed in self._feeds.all() if feed.read_up_to > ends.get(feed.bucket_id, feed.read_up_to)]

    async def _go_back(self, beyond: Collection[Feed], others: Collection[str] = ()) -> None:
        """Close these feeds; forget what is under way and unwritten of their webhooks and of `others`."""
        _log.error("an older state of the database took over: going back to what it knows", feeds=len(beyond))
        webhook_ids = {feed.webhook_id for feed in beyond}.union(others)
        await self._flights.abort(webhook_ids)
        await self._requested.abort(webhook_ids)
        self._jobs.drop(webhook_ids)
        for webhook_id in webhook_ids:
            self._ledger.forget(webhook_id)
        for feed in beyond:
            self._feeds.close(feed)
        await clamp_positions(self._core, self._state)
