"""The dispatcher: reads the logs ahead of each webhook's position, sends what may be sent, and remembers what became of
it.

One process, one event loop. Nothing waits for a receiver but the task of that one attempt, and no transaction is open
across an HTTP request. Feeds take turns, so that a webhook with much to send delays one with little by a turn, not by
its backlog.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.announcements import Announcements
from elasticlake.delivery.attempt import Sender
from elasticlake.delivery.attempts import Attempts
from elasticlake.delivery.backfills import Backfills
from elasticlake.delivery.belonging import Belonging, wait_for
from elasticlake.delivery.breaker_news import BreakerNews
from elasticlake.delivery.composer import Composer
from elasticlake.delivery.exchange import Exchange
from elasticlake.delivery.failing import Failing
from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.delivery.feeds import FeedId, Feeds
from elasticlake.delivery.flights import Flights
from elasticlake.delivery.job_attempts import JobAttempts
from elasticlake.delivery.job_retries import JobRetries
from elasticlake.delivery.jobs import Jobs, Pacing
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.lookout import Lookout
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.observer import Observer
from elasticlake.delivery.pace import Paces, Permit
from elasticlake.delivery.requested import RequestedDeliveries
from elasticlake.delivery.rewinding import Rewinding
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.standing import Standing
from elasticlake.delivery.stopping import Stopping
from elasticlake.delivery.turns import Turns
from elasticlake.delivery.wakeup import Heads
from elasticlake.errors import Unavailable
from elasticlake.metadata.database import Database
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook
from elasticlake.processor import give_way
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
        disable: Callable[[Webhook, str], Awaitable[bool]],
        clock: Clock,
        chance: random.Random,
        metrics: Metrics | None = None,
        tracer: Tracer | None = None,
        links: ObjectLinks | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        exchange = Exchange(Composer(clock, links), sender, Observer(metrics, tracer, clock), ledger, clock, chance)
        self._roster = roster
        self._membership = membership
        self._ledger = ledger
        self._clock = clock
        self._chance = chance
        self._woken = asyncio.Event()
        ledger.on_room = self._woken.set
        self._feeds = Feeds(core, state, ledger)
        self._feeds.on_expired = metrics.deliveries_expired
        self._paces = Paces(chance)
        self._turns = Turns(self._feeds, clock, self._woken.set)
        self._flights = Flights()
        failing = Failing(ledger, clock)
        self._lookout = Lookout(
            core, state, roster, membership, self._feeds, self._turns, self._paces, failing, ledger, self._woken.set
        )
        self._feeds.on_outdated = self._lookout.learn_of
        self._stopping = Stopping(disable, Announcements(state, roster, clock), failing, self._lookout, ledger, clock)
        backfills = Backfills(core, self._usable_feed, self._let_go)
        retries = JobRetries(core, state, backfills, ledger, clock, self._wait_seconds)
        self._requested = RequestedDeliveries(
            core, state, ledger, exchange, roster, membership, self._paces, failing, self._stopping.stop, clock, retries
        )
        self._attempts = Attempts(
            self._feeds, ledger, exchange, failing, clock, self._turns.schedule, self._lookout.halt,
            self._stopping.stop, self._stopping.warn,
        )  # fmt: skip
        job_attempts = JobAttempts(
            self._feeds, self._attempts, backfills, ledger, clock, self._stopping.stop, self._let_go
        )
        self._jobs = Jobs(
            state, JobSource(core, state), job_attempts, Pacing(self._wait_seconds, self._permit), self._flights,
            self._turns, membership, ledger, clock, self._lookout.is_current,
        )  # fmt: skip
        self._rewinding = Rewinding(
            core, state, self._feeds, self._flights, self._requested, self._jobs, ledger, self._lookout.begin_anew
        )
        self._belonging = Belonging(
            core, roster, membership, self._feeds, self._flights, self._requested, self._jobs, ledger,
            self._lookout.outdate, self._lookout.begin_anew, self._lookout.forget,
        )  # fmt: skip
        self._standing = Standing(
            core, self._feeds, roster, self._paces, lambda: self._flights.total + len(self._requested.tasks),
            self._lookout.head, clock, metrics,
        )  # fmt: skip
        self._news = BreakerNews(state, self._paces, roster, membership, ledger, clock)
        self._one_opens = asyncio.Lock()
        self._is_ending = False

    def wake(self, heads: Heads) -> None:
        """There is something to do: new events in these buckets; if none is named, changed webhooks or requested
        deliveries."""
        if not heads:
            self._lookout.is_due = True
        self._lookout.raise_heads(heads)
        self._woken.set()

    def stop(self) -> None:
        """End `run`: attempts under way get a moment, then are abandoned uncounted and made again at the next start."""
        self._is_ending = True
        self._woken.set()

    async def run(self) -> None:
        """Deliver until stopped. A fault of ours is logged and tried again; it never uses up an attempt."""
        self._ledger.start()
        measuring = asyncio.create_task(self._standing.run())
        belonging = asyncio.create_task(self._belonging.run())
        scanned_at, was_well = float("-inf"), True
        while not self._is_ending:
            self._woken.clear()
            try:
                if self._lookout.is_due or self._clock.monotonic() - scanned_at >= SCAN_SECONDS:
                    self._lookout.is_due = False
                    await self._scan()
                    scanned_at = self._clock.monotonic()
                await self._lookout.close_outdated()
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

    async def _scan(self) -> None:
        """Look at everything anew: finds what no wake-up told, or a lost one did."""
        if await self._lookout.learn_webhooks():
            self._belonging.look_around()
        await self._lookout.apply_changes()
        await self._news.tell()
        await self._requested.start_due()
        if self._roster.is_empty:
            return
        await self._jobs.look()
        places = await self._lookout.places()
        await self._rewinding.look(places)
        self._lookout.look_at(places)
        for place in places:
            if place.is_deleted:
                await self._end_of_bucket(place)

    async def _end_of_bucket(self, place: BucketPlace) -> None:
        """A deleted bucket's own webhooks are disabled once everything of its log is resolved."""
        for webhook in self._roster.matching(place):
            feed = self._feeds.get((webhook.id, place.id))
            if webhook.scope.kind == "bucket" and feed is not None and feed.is_drained(place.sequence):
                await self._stopping.stop(webhook, "bucketDeleted")

    # Sending.

    async def _pump(self) -> None:
        """Give each feed that waits its turn, as long as there is room for more attempts; the rest have theirs after
        whatever else there is to do."""
        self._turns.collect()
        until = self._clock.monotonic() + PUMP_SECONDS
        while self._turns and not (self._flights.is_full or self._ledger.is_full or self._is_ending):
            if self._clock.monotonic() > until:
                self._woken.set()
                return
            give_way()
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
        if webhook is None or self._lookout.is_outdated(feed_id) or not self._lookout.may_send(webhook):
            return False
        if self._jobs.is_job(feed_id):
            return await self._jobs.take_turn(webhook, feed_id)
        epoch = self._membership.epoch
        feed = self._feeds.get(feed_id) or await self._open(webhook, feed_id[1])
        if self._membership.epoch != epoch:
            # Another may have gone on while we read how far it was.
            self._feeds.close(feed)
            return True
        if feed.revision != webhook.revision:
            # A retry of a job, which reads its webhook, has opened it before we knew the webhook as it is now.
            self._lookout.learn_of(feed)
            return False
        has_read = False
        if self._wait_seconds(webhook) == 0 and self._feeds.may_read(webhook.id):
            # Not before it may send: what cannot go yet costs nothing in the log.
            has_read = await self._feeds.read_on(feed, self._lookout.head(feed.bucket_id))
        if self._feeds.get(feed_id) is not feed or self._lookout.is_outdated(feed_id):
            return False
        if not self._membership.may_send(webhook.id):
            # It went to another while we read: an open feed would keep it from going.
            self._lookout.outdate([feed])
            return False
        return self._send_some(webhook, feed, has_read=has_read)

    def _send_some(self, webhook: Webhook, feed: Feed, *, has_read: bool) -> bool:
        """Start a few attempts, as far as the webhook's pace and the slots allow."""
        feed_id = (webhook.id, feed.bucket_id)
        for _ in range(SENDS_PER_TURN):
            has_more = self._lookout.has_more(feed)
            if not (feed.due or feed.ready or has_more):
                break
            if (seconds := self._wait_seconds(webhook)) != 0:
                self._turns.block(feed_id, seconds)
                return False
            if not self._probes_another(webhook, feed) and feed.due and self._flights.may_retry:
                self._start_retry(webhook, feed, feed.due.popleft())
            elif feed.ready and (milliseconds := feed.batch_wait_ms(self._clock.now_ms())):
                if has_read and has_more:
                    return True
                self._turns.give_later(feed_id, milliseconds / 1000)
                return False
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

    def _probes_another(self, webhook: Webhook, feed: Feed) -> bool:
        """Whether a probe goes to an event that has not failed yet: it is not to be spent on the same failing keys time
        after time."""
        if self._paces.of(webhook).state == "closed" or self._chance.random() < 0.5:
            return False
        feed.shuffle(self._chance)
        return bool(feed.ready)

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
        if self._lookout.is_outdated(feed_id) or feed.revision != webhook.revision:
            return None
        if self._membership.epoch != epoch or not self._membership.may_send(webhook.id):
            self._lookout.outdate([feed])
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
