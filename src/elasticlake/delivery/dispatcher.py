"""The dispatcher: reads the logs ahead of each webhook's position, sends what may be sent, and remembers what became of
it.

One process, one event loop. Nothing waits for a receiver but the task of that one attempt, and no transaction is open
across an HTTP request. Feeds take turns, so that a webhook with much to send delays one with little by a turn, not by
its backlog.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.attempt import Result, Sender
from elasticlake.delivery.composer import Delivery, compose
from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.delivery.feeds import FeedId, Feeds
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.outcome import Verdict, attempt_record, judge
from elasticlake.delivery.requested import RequestedDeliveries
from elasticlake.delivery.roster import Roster
from elasticlake.delivery.wakeup import Heads
from elasticlake.metadata import deliveries, webhooks
from elasticlake.metadata.database import Database
from elasticlake.metadata.deliveries import Counted, DeadDelivery
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.webhooks import Webhook

MAX_IN_FLIGHT = 320
MAX_IN_FLIGHT_PER_WEBHOOK = 32
SENDS_PER_TURN = 8
SCAN_SECONDS = 1.0
DRAIN_SECONDS = 2.0
OWN_FAULT_SECONDS = 1.0

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
        disable: Callable[[Webhook, str], Awaitable[None]],
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._core = core
        self._state = state
        self._ledger = ledger
        self._sender = sender
        self._roster = roster
        self._disable = disable
        self._clock = clock
        self._chance = chance
        self._feeds = Feeds(core, state, ledger)
        self._requested = RequestedDeliveries(core, state, ledger, sender, roster, self._stop_webhook, clock, chance)
        self._places: dict[int, BucketPlace] = {}
        self._heads: Heads = {}
        self._turns: dict[FeedId, None] = {}
        self._blocked: dict[str, dict[FeedId, None]] = {}
        self._in_flight: Counter[str] = Counter()
        self._due: list[tuple[int, int, FeedId, ParkedLane]] = []
        self._entries = itertools.count()
        self._halted: dict[str, int] = {}
        self._outdated: set[FeedId] = set()
        self._failing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._scan_now = True
        self._is_roster_new = False
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
        scanned_at = float("-inf")
        while not self._stopping:
            self._woken.clear()
            try:
                if self._scan_now or self._clock.monotonic() - scanned_at >= SCAN_SECONDS:
                    self._scan_now = False
                    await self._scan()
                    scanned_at = self._clock.monotonic()
                await self._close_outdated()
                await self._pump()
            except Exception as error:
                _log.error("dispatcher fault", exc_info=error)
                await asyncio.sleep(SCAN_SECONDS)
            await self._sleep()
        await self._drain()
        await self._ledger.close()

    async def _sleep(self) -> None:
        seconds = SCAN_SECONDS
        if self._due:
            seconds = min(seconds, max(0.0, (self._due[0][0] - self._clock.now_ms()) / 1000))
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    async def _drain(self) -> None:
        tasks = self._tasks | self._requested.tasks
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    # What there is to do.

    async def _scan(self) -> None:
        """Look at everything anew: finds what no wake-up told, or a lost one did."""
        if await self._core.read(self._roster.refresh):
            self._is_roster_new = True
        if self._is_roster_new:
            await self._apply_roster()
            self._is_roster_new = False
        await self._requested.start_due()
        if self._roster.is_empty:
            return
        for place in await self._core.read(webhooks.all_places):
            self._places[place.id] = place
            self._raise_head(place.id, place.sequence)
            if place.is_deleted:
                await self._end_of_bucket(place)
        for feed in self._feeds.all():
            if feed.ready or feed.due or feed.read_up_to < self._heads.get(feed.bucket_id, 0):
                self._give_turn((feed.webhook_id, feed.bucket_id))

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
        for webhook_id, bucket_id in await self._state.read(deliveries.feeds_with_lanes):
            self._give_turn((webhook_id, bucket_id))
        self._heads.clear()

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
            self._give_turn(feed_id)

    async def _forget_deleted(self) -> None:
        """Outcomes that were on their way when a webhook was deleted may have come after its end."""
        for webhook_id in await self._state.read(deliveries.known_webhooks):
            if self._roster.get(webhook_id) is None:
                self._ledger.forget(webhook_id)
                self._feeds.forget(webhook_id)
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
            self._give_turn((webhook.id, bucket_id))

    def _give_turn(self, feed_id: FeedId) -> None:
        self._turns[feed_id] = None
        self._woken.set()

    # Sending.

    async def _pump(self) -> None:
        """Give each feed that waits its turn, as long as there is room for more attempts."""
        self._collect_due_lanes()
        while self._turns and len(self._tasks) < MAX_IN_FLIGHT and not self._stopping:
            feed_id = next(iter(self._turns))
            del self._turns[feed_id]
            try:
                wants_another = await self._take_turn(feed_id)
            except Exception:
                self._give_turn(feed_id)
                raise
            if wants_another:
                self._turns[feed_id] = None
            if self._due and self._due[0][0] <= self._clock.now_ms():
                self._collect_due_lanes()

    def _collect_due_lanes(self) -> None:
        now_ms = self._clock.now_ms()
        while self._due and self._due[0][0] <= now_ms:
            due_at_ms, _, feed_id, lane = heapq.heappop(self._due)
            feed = self._feeds.get(feed_id)
            # A feed that was closed and opened again holds its lanes anew, and each was scheduled anew.
            is_known = feed is not None and feed.lanes.get(lane.key) is lane
            if feed is not None and is_known and lane.next_attempt_at_ms == due_at_ms:
                feed.due.append(lane)
                self._turns[feed_id] = None

    async def _take_turn(self, feed_id: FeedId) -> bool:
        """Read on and send a little; whether the feed wants another turn."""
        webhook = self._roster.get(feed_id[0])
        if webhook is None or webhook.status != "enabled" or feed_id in self._outdated:
            return False
        if self._halted.get(webhook.id) == webhook.revision:
            return False
        feed = self._feeds.get(feed_id) or await self._open(webhook, feed_id[1])
        has_read = False
        if self._in_flight[webhook.id] < self._limit() and self._feeds.may_read(webhook.id):
            has_read = await self._feeds.read_on(feed, self._heads.get(feed.bucket_id, 0))
        for _ in range(SENDS_PER_TURN):
            if not (feed.due or feed.ready):
                break
            if self._in_flight[webhook.id] >= self._limit():
                self._blocked.setdefault(webhook.id, {})[feed_id] = None
                return False
            if feed.due:
                lane = feed.due.popleft()
                self._start(self._attempt_lane(webhook, feed, lane), partial(feed.due.appendleft, lane), feed)
            else:
                event = feed.ready.popleft()
                self._start(self._attempt_first(webhook, feed, event), partial(feed.put_back, event), feed)
        return has_read or bool(feed.due or feed.ready)

    def _limit(self) -> int:
        """How many attempts one webhook may have in flight: the fewer the fuller it is, so that a webhook that has none
        finds a slot (I6)."""
        free = MAX_IN_FLIGHT - len(self._tasks)
        return MAX_IN_FLIGHT_PER_WEBHOOK if free > MAX_IN_FLIGHT // 2 else max(1, free // 10)

    async def _open(self, webhook: Webhook, bucket_id: int) -> Feed:
        feed = await self._feeds.open(webhook, bucket_id)
        for lane in feed.lanes.values():
            self._schedule(feed, lane)
        return feed

    def _start(self, attempt: Awaitable[None], put_back: Callable[[], None], feed: Feed) -> None:
        webhook_id = feed.webhook_id
        self._in_flight[webhook_id] += 1
        feed.in_flight += 1
        task = asyncio.ensure_future(self._guarded(attempt, put_back))
        self._tasks.add(task)

        def finished(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._in_flight[webhook_id] -= 1
            feed.in_flight -= 1
            self._give_turn((feed.webhook_id, feed.bucket_id))
            blocked = self._blocked.get(webhook_id)
            if blocked:
                first = next(iter(blocked))
                del blocked[first]
                self._give_turn(first)

        task.add_done_callback(finished)

    async def _guarded(self, attempt: Awaitable[None], put_back: Callable[[], None]) -> None:
        """Make the attempt. If it raises, the fault is ours (no sockets, no memory, a database error): let that pass,
        then the event goes again."""
        try:
            await attempt
        except Exception as error:
            _log.error("delivery fault", exc_info=error)
            await asyncio.sleep(OWN_FAULT_SECONDS)
            put_back()

    async def _attempt_first(self, webhook: Webhook, feed: Feed, event: Event) -> None:
        """The first attempt of an event in the window."""
        verdict = await self._send(webhook, event, 1)
        if self._feeds.get((feed.webhook_id, feed.bucket_id)) is not feed:
            return
        if verdict.next_attempt_at_ms is not None:
            lane = feed.park(event, 1, verdict.next_attempt_at_ms)
            self._ledger.lane_changed(feed, lane)
            self._schedule(feed, lane)
        else:
            feed.settle(event, verdict.counted)
            self._record_end(feed, event, 1, verdict)
        await self._disable_if_asked(webhook, verdict)

    async def _attempt_lane(self, webhook: Webhook, feed: Feed, lane: ParkedLane) -> None:
        """The next attempt of a parked lane's head."""
        event = await self._feeds.head_of(feed, lane)
        if event is None or event.type not in feed.event_types:
            # Retention took it, or its webhook no longer wants its kind.
            await self._end_head(feed, lane, "expired" if event is None else "canceled")
            return
        attempts = lane.attempts + 1
        verdict = await self._send(webhook, event, attempts)
        if self._feeds.get((feed.webhook_id, feed.bucket_id)) is not feed:
            return
        if verdict.next_attempt_at_ms is not None:
            feed.retry(lane, attempts, verdict.next_attempt_at_ms)
            self._ledger.lane_changed(feed, lane)
            self._schedule(feed, lane)
        else:
            await self._end_head(feed, lane, verdict.counted)
            self._record_end(feed, event, attempts, verdict)
        await self._disable_if_asked(webhook, verdict)

    async def _end_head(self, feed: Feed, lane: ParkedLane, outcome: Counted) -> None:
        """The lane's head is resolved: go on with its next event, or end the lane."""
        following = await self._feeds.following(feed, lane)
        feed.advance_lane(lane, outcome, following, self._clock.now_ms())
        self._ledger.lane_changed(feed, lane)
        if following is not None:
            self._schedule(feed, lane)

    def _record_end(self, feed: Feed, event: Event, attempts: int, verdict: Verdict) -> None:
        self._ledger.moved(feed)
        if verdict.status == "dead":
            now_ms = self._clock.now_ms()
            self._ledger.died(
                DeadDelivery(feed.webhook_id, feed.bucket_id, event.sequence, 0, event.key, attempts, now_ms)
            )

    async def _send(self, webhook: Webhook, event: Event, attempts: int) -> Verdict:
        delivery = Delivery(webhook, event, DeliveryId(webhook.id, event.bucket_id, event.sequence))
        request = compose(delivery, attempts, self._clock.now_ms())
        result = await self._sender.send(request)
        verdict = judge(webhook, attempts, result, self._clock.now_ms(), self._chance.random())
        if verdict.disable is not None:
            # From this moment on: until the disabling is stored, more of what waits would be sent.
            self._halted[webhook.id] = webhook.revision
        self._ledger.attempted(attempt_record(delivery, attempts, request, result, verdict))
        self._note(delivery, attempts, result, verdict)
        return verdict

    def _note(self, delivery: Delivery, attempts: int, result: Result, verdict: Verdict) -> None:
        """Tell the operator when a webhook begins to fail, when it recovers, and of each delivery that is dead."""
        webhook_id = delivery.webhook.id
        if verdict.status == "delivered":
            if webhook_id in self._failing:
                self._failing.discard(webhook_id)
                _log.info("webhook recovered", webhook=webhook_id)
            return
        facts = {"webhook": webhook_id, "delivery": str(delivery.id), "attempt": attempts, "error": result.error}
        if verdict.status == "dead":
            _log.warning("delivery dead", error_class=result.error_class, **facts)
        elif webhook_id not in self._failing:
            self._failing.add(webhook_id)
            _log.warning("webhook failing", error_class=result.error_class, **facts)

    def _schedule(self, feed: Feed, lane: ParkedLane) -> None:
        feed_id = (feed.webhook_id, feed.bucket_id)
        heapq.heappush(self._due, (lane.next_attempt_at_ms, next(self._entries), feed_id, lane))
        self._woken.set()

    async def _disable_if_asked(self, webhook: Webhook, verdict: Verdict) -> None:
        if verdict.disable is not None:
            await self._stop_webhook(webhook, verdict.disable)

    async def _stop_webhook(self, webhook: Webhook, reason: str) -> None:
        """Disable the webhook as it was then: one that its owner has changed meanwhile is another matter."""
        try:
            await self._ledger.flush()
            await self._disable(webhook, reason)
            _log.warning("webhook disabled", webhook=webhook.id, reason=reason)
        except Exception as error:
            _log.error("could not disable webhook", webhook=webhook.id, reason=reason, exc_info=error)
            self._halted.pop(webhook.id, None)
        self._scan_now = True
        self._woken.set()
