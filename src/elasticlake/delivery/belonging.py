"""What a dispatcher does about its place among others: it begins with webhooks that it gains, ends in order with those
that go to another, and drops at once what another has taken. Where its place is in doubt, it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

import structlog

from elasticlake.delivery.feed import Feed
from elasticlake.delivery.feeds import Feeds
from elasticlake.delivery.flights import Flights
from elasticlake.delivery.jobs import Jobs
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership, Moved
from elasticlake.delivery.requested import RequestedDeliveries
from elasticlake.delivery.roster import Roster
from elasticlake.metadata.database import Database
from elasticlake.service.presence import BEAT_SECONDS, LEASE_SECONDS

_log = structlog.get_logger("delivery")


class Belonging:
    """Follows the membership with everything that is under way.

    `outdate` closes feeds once nothing of theirs is under way or unwritten; `begin_anew` looks at every log again.
    """

    def __init__(
        self,
        core: Database,
        roster: Roster,
        membership: Membership,
        feeds: Feeds,
        flights: Flights,
        requested: RequestedDeliveries,
        jobs: Jobs,
        ledger: Ledger,
        outdate: Callable[[Iterable[Feed]], None],
        begin_anew: Callable[[], None],
        forget: Callable[[str], None],
    ) -> None:
        self._core = core
        self._roster = roster
        self._membership = membership
        self._feeds = feeds
        self._flights = flights
        self._requested = requested
        self._jobs = jobs
        self._ledger = ledger
        self._outdate = outdate
        self._begin_anew = begin_anew
        self._forget = forget
        self._wanted = asyncio.Event()
        self._is_suspended = False
        self._dropping: set[asyncio.Task[None]] = set()
        ledger.on_lost = self._hear_of_loss

    def look_around(self) -> None:
        """There are other webhooks than before: share them now."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep our place, until cancelled."""
        was_well = True
        while True:
            if not self._membership.is_certain:
                await self._suspend()
            try:
                # A beat that takes longer comes too late.
                async with asyncio.timeout(LEASE_SECONDS):
                    await self._core.read(self._roster.refresh_ids)
                    moved = await self._membership.look_around(self._roster.ids)
            except Exception as error:
                if was_well:
                    _log.warning("cannot tell which webhooks are ours", error=str(error) or type(error).__name__)
                was_well = False
            else:
                if not was_well:
                    _log.info("it is certain again which webhooks are ours")
                was_well = True
                await self._follow(moved)
            await wait_for(self._wanted, BEAT_SECONDS)
            self._wanted.clear()

    async def release(self) -> None:
        """Hand over the webhooks of which nothing is under way or unwritten any more."""
        releasing = self._membership.releasing
        if not releasing:
            return
        still_open = [feed for feed in self._feeds.all() if feed.webhook_id in releasing]
        if still_open:
            # Also those that were being opened when the webhook was to go.
            self._outdate(still_open)
        await self._jobs.close(releasing)
        still_used = {feed.webhook_id for feed in still_open} | self._requested.webhooks | self._jobs.webhooks
        for webhook_id in releasing - still_used:
            await self._membership.released(webhook_id)
            self._forget(webhook_id)

    async def leave(self) -> None:
        """Say good-bye; nothing of ours is under way."""
        try:
            await self._membership.leave()
        except Exception as error:
            # Others wait for our silence instead.
            _log.warning("could not say good-bye", error=str(error))

    async def _follow(self, moved: Moved) -> None:
        if moved.lost:
            await self._drop(moved.lost)
        if moved.releasing:
            self._outdate(feed for feed in self._feeds.all() if feed.webhook_id in moved.releasing)
        if moved.gained or (self._is_suspended and self._membership.is_certain):
            self._is_suspended = False
            self._begin_anew()

    def _hear_of_loss(self, webhook_ids: set[str]) -> None:
        task = asyncio.ensure_future(self._drop(webhook_ids))
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)

    async def _drop(self, webhook_ids: Collection[str]) -> None:
        """Another dispatcher delivers for these now: forget them, written or not."""
        self._membership.lost(webhook_ids)
        await self._flights.abort(webhook_ids)
        await self._requested.abort(webhook_ids)
        self._jobs.drop(webhook_ids)
        for webhook_id in webhook_ids:
            self._ledger.forget(webhook_id)
            self._forget(webhook_id)
        for feed in self._feeds.all():
            if feed.webhook_id in webhook_ids:
                self._feeds.close(feed)
        # One that is ours again meanwhile was closed with them.
        self._begin_anew()

    async def _suspend(self) -> None:
        """Stop what is under way. Feeds open again from what was written, once it is certain that they are ours."""
        self._is_suspended = True
        if self._flights.total:
            _log.warning(
                "attempts aborted: it is not certain any more that they are ours", attempts=self._flights.total
            )
        await self._flights.abort()
        await self._requested.abort()
        self._jobs.drop()
        self._outdate(self._feeds.all())


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, but no longer."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
