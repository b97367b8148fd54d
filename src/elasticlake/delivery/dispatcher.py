"""The dispatcher: reads the logs ahead of each webhook's position, sends what may be sent, and remembers what became of
it.

One process, one event loop. Nothing waits for a receiver but the task of that one attempt, and no transaction is open
across an HTTP request. Feeds take turns, so that a webhook with much to send delays one with little by a turn, not by
its backlog.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.announcements import Announcements
from elasticlake.delivery.attempt import Sender
from elasticlake.delivery.attempts import Attempts
from elasticlake.delivery.backfills import Backfills
from elasticlake.delivery.belonging import Belonging, wait_for
from elasticlake.delivery.composer import Composer
from elasticlake.delivery.failing import DISABLE_AFTER_MS, Failing
from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.delivery.feeds import FeedId, Feeds
from elasticlake.delivery.flights import Flights
from elasticlake.delivery.job_attempts import JobAttempts
from elasticlake.delivery.job_retries import JobRetries
from elasticlake.delivery.jobs import Jobs, Pacing
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.observer import Observer
from elasticlake.delivery.pace import Paces, Permit
from elasticlake.delivery.requested import RequestedDeliveries
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.standing import Standing
from elasticlake.delivery.turns import Turns
from elasticlake.delivery.wakeup import Heads
from elasticlake.errors import Unavailable
from elasticlake.metadata import deliveries, failing_webhooks, webhooks
from elasticlake.metadata.database import Database
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook
from elasticlake.service.clamp import clamp_positions
from elasticlake.service.job_source import JobSource
from elasticlake.service.metrics import Metrics
from elasticlake.service.object_links import ObjectLinks
from elasticlake.service.tracing import Tracer

SENDS_PER_TURN = 8
SCAN_SECONDS = 1.0
PUMP_SECONDS = 0.2
DRAIN_SECONDS = 2.0

_log = structlog.get_logger("delivery")


class Dispatcher:
    """Delivers for every webhook of one installation."""

    def __init__(
        self,
        core: Database,
        state: Database,
        ledger: Ledger,
        sender: Sender,
        roster: Roster,
        membership: Membership,
        disable: Callable[[Webhook, str], Awaitable[None]],
        clock: Clock,
        chance: random.Random,
        metrics: Metrics | None = None,
        tracer: Tracer | None = None,
        links: ObjectLinks | None = None,
    ) -> None:
        self._core = core
        self._state = state
        self._ledger = ledger
        self._sender = sender
        self._roster = roster
        self._membership = membership
        self._disable = disable
        self._clock = clock
        self._chance = chance
        metrics = metrics or Metrics()
        self._observer = Observer(metrics, tracer, clock)
        composer = Composer(clock, links)
        self._feeds = Feeds(core, state, ledger)
        self._feeds.on_expired = metrics.deliveries_expired
        self._paces = Paces(chance)
        backfills = Backfills(core, self._usable_feed, self._let_go)
        retries = JobRetries(core, state, backfills, ledger, clock, self._wait_seconds)
        self._requested = RequestedDeliveries(
            core, state, ledger, sender, composer, roster, membership, self._paces, self._stop_webhook, clock, chance,
            self._observer, retries,
        )  # fmt: skip
        self._places: dict[int, BucketPlace] = {}
        self._heads: Heads = {}
        self._woken = asyncio.Event()
        self._turns = Turns(self._feeds, clock, self._woken.set)
        self._flights = Flights()
        self._halted: dict[str, int] = {}
        self._outdated: set[FeedId] = set()
        self._one_opens = asyncio.Lock()
        self._failing = Failing(ledger, clock)
        self._announcements = Announcements(state, roster, clock)
        self._announcing: set[asyncio.Task[None]] = set()
        self._attempts = Attempts(
            self._feeds,
            ledger,
            sender,
            composer,
            self._failing,
            self._observer,
            clock,
            chance,
            self._turns.schedule,
            self._halt,
            self._stop_webhook,
            self._notify,
        )
        job_attempts = JobAttempts(
            self._feeds, self._attempts, backfills, ledger, clock, self._stop_webhook, self._let_go
        )
        self._jobs = Jobs(
            state, JobSource(core, state), job_attempts, Pacing(self._wait_seconds, self._permit), self._flights,
            self._turns, membership, ledger, clock,
        )  # fmt: skip
        self._belonging = Belonging(
            core,
            roster,
            membership,
            self._feeds,
            self._flights,
            self._requested,
            self._jobs,
            ledger,
            self._outdate,
            self._begin_anew,
        )
        self._standing = Standing(
            core,
            self._feeds,
            roster,
            self._paces,
            lambda: self._flights.total + len(self._requested.tasks),
            lambda bucket_id: self._heads.get(bucket_id, 0),
            clock,
            metrics,
        )
        self._scan_now = True
        self._is_roster_new = False
        self._are_lanes_new = False
        self._stopping = False

    def wake(self, heads: Heads) -> None:
        """There is something to do: new events in these buckets; if none is named, changed webhooks or requested
        deliveries."""
        if not heads:
            self._scan_now = True
        for bucket_id, sequence in heads.items():
            self._raise_head(bucket_id, sequence)
        self._woken.set()

    def stop(self) -> None:
        """End `run`: attempts under way get a moment, then are abandoned uncounted and made again at the next start."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Deliver until stopped. A fault of ours is logged and tried again; it never uses up an attempt."""
        self._ledger.start()
        measuring = asyncio.create_task(self._standing.run())
        belonging = asyncio.create_task(self._belonging.run())
        scanned_at, was_well = float("-inf"), True
        while not self._stopping:
            self._woken.clear()
            try:
                if self._scan_now or self._clock.monotonic() - scanned_at >= SCAN_SECONDS:
                    self._scan_now = False
                    await self._scan()
                    scanned_at = self._clock.monotonic()
                await self._close_outdated()
                await self._belonging.release()
                await self._pump()
                was_well = True
            except Unavailable as error:
                if was_well:
                    _log.warning("deliveries wait", error=str(error))
                was_well = False
                await asyncio.sleep(SCAN_SECONDS)
            except Exception as error:
                _log.error("dispatcher fault", exc_info=error)
                await asyncio.sleep(SCAN_SECONDS)
            await self._sleep()
        measuring.cancel()
        await self._drain()
        await self._ledger.close()
        belonging.cancel()
        await self._belonging.leave()

    async def _sleep(self) -> None:
        await wait_for(self._woken, self._turns.seconds_to_next(SCAN_SECONDS))

    async def _drain(self) -> None:
        tasks = self._flights.tasks | self._requested.tasks
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def _outdate(self, feeds: Iterable[Feed]) -> None:
        self._outdated.update((feed.webhook_id, feed.bucket_id) for feed in feeds)
        self._woken.set()

    def _begin_anew(self) -> None:
        """What we may send is not what it was: look at every log and lane again."""
        self._heads.clear()
        self._scan_now = self._are_lanes_new = True
        self._woken.set()

    # What there is to do.

    async def _scan(self) -> None:
        """Look at everything anew: finds what no wake-up told, or a lost one did."""
        if await self._core.read(self._roster.refresh):
            self._is_roster_new = True
            self._belonging.look_around()
        if self._is_roster_new:
            await self._apply_roster()
            self._is_roster_new = False
        if self._are_lanes_new:
            self._are_lanes_new = False
            await self._find_lanes()
        await self._requested.start_due()
        if self._roster.is_empty:
            return
        await self._jobs.look()
        places = await self._core.read(webhooks.all_places)
        await self._go_back(places)
        for place in places:
            self._places[place.id] = place
            self._raise_head(place.id, place.sequence)
            if place.is_deleted:
                await self._end_of_bucket(place)
        for feed in self._feeds.all():
            if feed.ready or feed.due or feed.read_up_to < self._heads.get(feed.bucket_id, 0):
                self._turns.give((feed.webhook_id, feed.bucket_id))

    async def _go_back(self, places: Iterable[BucketPlace]) -> None:
        """Where an older state of the database has taken over, forget what was read since: the events that get those
        sequences now would be passed over."""
        timeline = await self._core.read(lambda reader: reader.timeline(), loose=True)
        is_another = self._ledger.timeline not in (None, timeline)
        ends = {place.id: place.sequence for place in places}
        beyond = [
            feed for feed in self._feeds.all()
            if is_another or feed.read_up_to > ends.get(feed.bucket_id, feed.read_up_to)
        ]  # fmt: skip
        if not beyond:
            self._ledger.timeline = timeline
            return
        _log.error("an older state of the database took over: going back to what it knows", feeds=len(beyond))
        webhook_ids = {feed.webhook_id for feed in beyond}
        await self._flights.abort(webhook_ids)
        self._jobs.drop(webhook_ids)
        for webhook_id in webhook_ids:
            self._ledger.forget(webhook_id)
        for feed in beyond:
            self._feeds.close(feed)
        await clamp_positions(self._core, self._state)
        self._ledger.timeline = timeline
        self._begin_anew()

    async def _end_of_bucket(self, place: BucketPlace) -> None:
        """A deleted bucket's own webhooks are disabled once everything of its log is resolved."""
        for webhook in self._roster.matching(place):
            feed = self._feeds.get((webhook.id, place.id))
            if webhook.scope.kind == "bucket" and feed is not None and feed.is_drained(place.sequence):
                await self._stop_webhook(webhook, "bucketDeleted")

    async def _apply_roster(self) -> None:
        """Webhooks were made, changed or deleted: close their feeds, which open again as the webhooks now are."""
        await self._forget_deleted()
        for feed in self._feeds.all():
            webhook = self._roster.get(feed.webhook_id)
            if webhook is None:
                self._feeds.close(feed)
            elif webhook.revision != feed.revision or webhook.status != "enabled":
                self._outdated.add((feed.webhook_id, feed.bucket_id))
        await self._close_outdated()
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

    async def _close_outdated(self) -> None:
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

    async def _forget_deleted(self) -> None:
        """Outcomes that were on their way when a webhook was deleted may have come after its end."""
        for webhook_id in await self._state.read(deliveries.known_webhooks):
            if self._roster.get(webhook_id) is None and not await self._core.read(
                lambda reader: webhooks.exists(reader, webhook_id),  # noqa: B023
                loose=True,
            ):
                self._ledger.forget(webhook_id)
                self._feeds.forget(webhook_id)
                self._paces.forget(webhook_id)
                self._failing.forget(webhook_id)
                await self._state.write(partial(deliveries.forget_webhook, webhook_id=webhook_id))

    def _raise_head(self, bucket_id: int, sequence: int) -> None:
        if sequence <= self._heads.get(bucket_id, -1):
            return
        place = self._places.get(bucket_id)
        if place is None:
            # A bucket made since the last scan; the next one is due at once.
            self._scan_now = True
            return
        self._heads[bucket_id] = sequence
        for webhook in self._roster.matching(place):
            if self._membership.may_send(webhook.id):
                self._turns.give((webhook.id, bucket_id))

    # Sending.

    async def _pump(self) -> None:
        """Give each feed that waits its turn, as long as there is room for more attempts; the rest have theirs after
        whatever else there is to do."""
        self._turns.collect()
        until = self._clock.monotonic() + PUMP_SECONDS
        while self._turns and not self._flights.is_full and not self._stopping:
            if self._clock.monotonic() > until:
                self._woken.set()
                return
            feed_id = self._turns.take()
            try:
                wants_another = await self._take_turn(feed_id)
            except Exception:
                self._turns.give(feed_id)
                raise
            if wants_another:
                self._turns.give(feed_id)
            self._turns.collect()

    async def _take_turn(self, feed_id: FeedId) -> bool:
        """Read on and send a little; whether the feed wants another turn."""
        webhook = self._roster.get(feed_id[0])
        if webhook is None or webhook.status != "enabled" or feed_id in self._outdated:
            return False
        if self._halted.get(webhook.id) == webhook.revision or not self._membership.may_send(webhook.id):
            return False
        if self._jobs.is_job(feed_id):
            return await self._jobs.take_turn(webhook, feed_id)
        epoch = self._membership.epoch
        feed = self._feeds.get(feed_id) or await self._open(webhook, feed_id[1])
        if self._membership.epoch != epoch:
            # Another may have gone on while we read how far it was.
            self._feeds.close(feed)
            return True
        has_read = False
        if self._wait_seconds(webhook) == 0 and self._feeds.may_read(webhook.id):
            # Not before it may send: what cannot go yet costs nothing in the log.
            has_read = await self._feeds.read_on(feed, self._heads.get(feed.bucket_id, 0))
        if self._feeds.get(feed_id) is not feed:
            return False
        if not self._membership.may_send(webhook.id):
            # It went to another while we read: an open feed would keep it from going.
            self._outdate([feed])
            return False
        return self._send_some(webhook, feed, has_read=has_read)

    def _send_some(self, webhook: Webhook, feed: Feed, *, has_read: bool) -> bool:
        """Start a few attempts, as far as the webhook's pace and the slots allow."""
        feed_id = (webhook.id, feed.bucket_id)
        for _ in range(SENDS_PER_TURN):
            has_more = feed.read_up_to < self._heads.get(feed.bucket_id, 0)
            if not (feed.due or feed.ready or has_more):
                break
            if (seconds := self._wait_seconds(webhook)) != 0:
                self._turns.block(feed_id, seconds)
                return False
            if feed.due and self._flights.may_retry:
                self._start_retry(webhook, feed, feed.due.popleft())
            elif feed.ready and (milliseconds := feed.batch_wait_ms(self._clock.now_ms())):
                if has_read or not (has_more and feed.may_read):
                    self._turns.give_later(feed_id, milliseconds / 1000)
                return has_more and feed.may_read
            elif (event := feed.take()) is not None:
                self._start_first(webhook, feed, event)
            elif feed.due:
                self._turns.block_retry(feed_id)
                return False
            else:
                break
        if not feed.in_flight:
            # What it may send and does not is another feed's.
            self._turns.unblock(webhook.id)
        return has_read or bool(feed.due or feed.ready)

    def _wait_seconds(self, webhook: Webhook) -> float | None:
        """How long until the webhook may send one more; None: until one of its attempts has ended."""
        if not self._flights.has_room(webhook.id):
            return None
        return self._paces.of(webhook).wait_seconds(self._flights.of(webhook.id), self._clock.monotonic())

    async def _open(self, webhook: Webhook, bucket_id: int) -> Feed:
        # Jobs open feeds, too: there is one of each.
        async with self._one_opens:
            is_new = self._feeds.get((webhook.id, bucket_id)) is None
            feed = await self._feeds.open(webhook, bucket_id)
            for lane in feed.lanes.values() if is_new else ():
                self._turns.schedule(feed, lane)
        return feed

    async def _usable_feed(self, webhook: Webhook, bucket_id: int) -> Feed | None:
        """The webhook's feed in the bucket, for what is sent beside it; None while it may not be used."""
        feed_id, epoch = (webhook.id, bucket_id), self._membership.epoch
        feed = self._feeds.get(feed_id) or await self._open(webhook, bucket_id)
        if feed_id in self._outdated or feed.revision != webhook.revision:
            return None
        if self._membership.epoch != epoch or not self._membership.may_send(webhook.id):
            self._outdate([feed])
            return None
        return feed

    def _let_go(self, feed: Feed) -> None:
        """What was sent beside the feed has ended."""
        self._turns.give((feed.webhook_id, feed.bucket_id))

    def _start_first(self, webhook: Webhook, feed: Feed, event: Event) -> None:
        permit = self._permit(webhook)
        attempt = self._attempts.first(webhook, feed, event, permit)
        self._start(feed, attempt, permit, partial(feed.put_back, event))

    def _start_retry(self, webhook: Webhook, feed: Feed, lane: ParkedLane) -> None:
        permit = self._permit(webhook)
        attempt = self._attempts.next(webhook, feed, lane, permit)
        self._start(feed, attempt, permit, partial(feed.due.appendleft, lane), is_retry=True)

    def _permit(self, webhook: Webhook) -> Permit:
        return self._paces.of(webhook).begin(self._flights.of(webhook.id), self._clock.monotonic())

    def _start(
        self,
        feed: Feed,
        attempt: Awaitable[None],
        permit: Permit,
        put_back: Callable[[], None],
        *,
        is_retry: bool = False,
    ) -> None:
        feed.in_flight += 1

        def ended() -> None:
            feed.in_flight -= 1
            permit.over()
            self._turns.give((feed.webhook_id, feed.bucket_id))
            self._turns.unblock(feed.webhook_id)
            if is_retry:
                self._turns.unblock_retry()

        self._flights.start(feed.webhook_id, attempt, put_back, ended, is_retry=is_retry)

    def _halt(self, webhook: Webhook) -> None:
        """Send no more of what waits, from this moment on: until it is disabled, or changed."""
        self._halted[webhook.id] = webhook.revision

    def _notify(self, webhook: Webhook) -> None:
        """Tell those who asked that it will be disabled unless it recovers."""
        since_ms = self._failing.since_ms(webhook.id) or self._clock.now_ms()
        told = self._announcements.failing(webhook, since_ms, since_ms + DISABLE_AFTER_MS)
        task = asyncio.ensure_future(told)
        self._announcing.add(task)
        task.add_done_callback(self._announcing.discard)

    async def _stop_webhook(self, webhook: Webhook, reason: str) -> None:
        """Disable the webhook as it was then: one that its owner has changed meanwhile is another matter."""
        try:
            await self._ledger.flush()
            await self._disable(webhook, reason)
            _log.warning("webhook disabled", webhook=webhook.id, reason=reason)
            await self._announcements.disabled(webhook, reason)
        except Exception as error:
            _log.error("could not disable webhook", webhook=webhook.id, reason=reason, exc_info=error)
            self._halted.pop(webhook.id, None)
        self._scan_now = True
        self._woken.set()
