"""What became of deliveries, on its way to the disk: many outcomes in one short transaction, many attempts in one
batch, and less often, as attempts are information alone.

The snapshot of positions and lanes is taken at one moment, so that whatever survives a crash fits together: at worst
the window's events are sent again (I4). What may wait for the disk is bounded: beyond that nothing new is to be sent,
which keeps the memory, and what a crash would have sent again, small (I6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple, Protocol

import structlog

from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.metadata import deliveries, nodes
from elasticlake.metadata.database import Database, Touching, Transaction
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Position, RequestedDelivery
from elasticlake.metadata.history import Attempt, HistoryLog

FLUSH_SECONDS = 0.02
HISTORY_SECONDS = 0.25
"""Of a longer time's attempts, more share the pages that they are written to."""
RETRY_SECONDS = 1.0
MAX_UNWRITTEN_BYTES = 8 << 20
# About what each takes in memory, an attempt beside its bodies; a change is counted for more than it takes, since it is
# also what a crash would have sent again.
_CHANGE_BYTES = 2048
_ATTEMPT_BYTES = 2048

_log = structlog.get_logger("delivery")


class Change(NamedTuple):
    """Something to store of a webhook."""

    webhook_id: str
    write: Callable[[Transaction], None]


class Outcomes(NamedTuple):
    """What one transaction stores, in this order."""

    changes: list[Change]

    def write(self, tx: Transaction, epoch: int, timeline: str | None) -> set[str]:
        """Write what belongs to webhooks that the dispatcher of that epoch still owns; returns the others. On another
        timeline than the one that it was read on, that is all of them."""
        wanted = {change.webhook_id for change in self.changes}
        if timeline not in (None, tx.timeline()):
            return wanted
        owned = nodes.hold_owned(tx, sorted(wanted), epoch)
        for change in self.changes:
            if change.webhook_id in owned:
                change.write(tx)
        return wanted - owned


class Fence(Protocol):
    """Under which epoch outcomes are written."""

    @property
    def epoch(self) -> int: ...


class Ledger:
    """Collects outcomes and writes them in the background."""

    def __init__(self, database: Database, history: HistoryLog | None, fence: Fence) -> None:
        self._database = database
        self._fence = fence
        self.timeline: str | None = None
        """The database's, on which everything was read whose outcomes come here."""
        self.on_lost: Callable[[set[str]], None] = lambda lost: None
        """Told of webhooks whose outcomes were refused: they are another dispatcher's."""
        self._history = history
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._feeds: dict[tuple[str, int], Feed] = {}
        self._changes: dict[Hashable, Change] = {}
        self._attempts: list[Attempt] = []
        self.on_room: Callable[[], None] = lambda: None
        """Told when the ledger is no longer full."""
        self._unwritten_bytes = 0
        self._change_bytes = 0
        self._attempt_bytes = 0
        self._dirty = asyncio.Event()
        self._attempted = asyncio.Event()
        self._hurry = asyncio.Event()
        """No beat is waited for: what is unwritten is half of what may be, or all is over."""
        self._one_flush = asyncio.Lock()
        self._flushing: set[asyncio.Task[None]] = set()
        self._closing = False
        self._writing: list[asyncio.Task[None]] = []

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the disk that nothing new is to be sent."""
        return self._unwritten_bytes >= MAX_UNWRITTEN_BYTES

    @property
    def webhooks(self) -> set[str]:
        """Of which something has not been stored yet."""
        return {webhook_id for webhook_id, _ in self._feeds} | {one.webhook_id for one in self._changes.values()}

    def moved(self, feed: Feed) -> None:
        """The feed's position or counts changed."""
        self._feeds[feed.webhook_id, feed.bucket_id] = feed
        self._changed()

    def is_unwritten(self, feed: Feed) -> bool:
        """Whether something of the feed has not been stored yet."""
        return (feed.webhook_id, feed.bucket_id) in self._feeds

    def store(self, webhook_id: str, what: Hashable, write: Callable[[Transaction], None]) -> None:
        """Write that with the next outcomes. `what` names it, so that a later state replaces an earlier one."""
        self._changes[what] = Change(webhook_id, write)
        self._changed()

    def lane_changed(self, feed: Feed, lane: ParkedLane) -> None:
        """The lane was parked, retried, advanced, or (if the feed no longer has it) ended."""
        what = ("lane", feed.webhook_id, feed.bucket_id, lane.key)
        if lane.key in feed.lanes:
            row = feed.lane_row(lane)
            self.store(feed.webhook_id, what, lambda tx: deliveries.put_lane(tx, row))
        else:
            self._drop_lane(*what[1:])
        self.moved(feed)

    def drop_lanes(self, lanes: list[Lane]) -> None:
        """The lanes are no more."""
        for lane in lanes:
            self._drop_lane(lane.webhook_id, lane.bucket_id, lane.key)

    def _drop_lane(self, webhook_id: str, bucket_id: int, key: bytes) -> None:
        what = ("lane", webhook_id, bucket_id, key)
        self.store(webhook_id, what, lambda tx: deliveries.delete_lane(tx, webhook_id, bucket_id, key))

    def revived(self, webhook_id: str, bucket_id: int, sequence: int) -> None:
        """A dead delivery's event was delivered by a redelivery."""
        self.store(webhook_id, object(), lambda tx: deliveries.delete_dead(tx, webhook_id, bucket_id, sequence))

    def died(self, dead: DeadDelivery) -> None:
        """The delivery ended without success."""
        self.store(dead.webhook_id, object(), lambda tx: deliveries.put_dead(tx, dead))

    def requested(self, delivery: RequestedDelivery) -> None:
        """The requested delivery is now as this says."""
        what = ("requested", *delivery[:4])
        self.store(delivery.webhook_id, what, lambda tx: deliveries.put_requested(tx, delivery))

    def attempted(self, attempt: Attempt) -> None:
        """Remember the attempt, as information: where writing it fails it is let go, not the delivery."""
        if self._history is None:
            return
        self._attempts.append(attempt)
        size_bytes = _ATTEMPT_BYTES + len(attempt.request_body) + len(attempt.response_body)
        self._attempt_bytes += size_bytes
        self._attempted.set()
        self._grow(size_bytes)

    def forget(self, webhook_id: str) -> None:
        """The webhook is gone: nothing of it is to be written any more."""
        self._feeds = {key: feed for key, feed in self._feeds.items() if key[0] != webhook_id}
        self._changes = {what: change for what, change in self._changes.items() if change.webhook_id != webhook_id}

    def _changed(self) -> None:
        self._change_bytes += _CHANGE_BYTES
        self._dirty.set()
        self._grow(_CHANGE_BYTES)

    def _grow(self, size_bytes: int) -> None:
        was_full = self.is_full
        self._unwritten_bytes += size_bytes
        if self._unwritten_bytes >= MAX_UNWRITTEN_BYTES // 2:
            self._hurry.set()
        if self.is_full and not was_full:
            _log.warning("deliveries wait for the disk", unwritten_bytes=self._unwritten_bytes)

    def start(self) -> None:
        """Write whatever comes, until closed."""
        self._writing = [
            asyncio.create_task(self._repeat(self._dirty, FLUSH_SECONDS, self._write)),
            asyncio.create_task(self._repeat(self._attempted, HISTORY_SECONDS, self._remember)),
        ]

    async def _repeat(self, news: asyncio.Event, seconds: float, write: Callable[[], Awaitable[None]]) -> None:
        while not self._closing:
            await news.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), seconds)
            await self._finish(write)

    async def flush(self) -> None:
        """Write everything collected so far; on a fault, keep it and try again. Whoever waits for it may be canceled:
        what was taken is written nevertheless."""
        await self._finish(self._write_all)

    async def _finish(self, write: Callable[[], Awaitable[None]]) -> None:
        flushing = asyncio.ensure_future(write())
        self._flushing.add(flushing)
        flushing.add_done_callback(self._flushing.discard)
        await asyncio.shield(flushing)

    async def _write_all(self) -> None:
        await asyncio.gather(self._write(), self._remember())

    async def _write(self) -> None:
        """Store the outcomes."""
        async with self._one_flush:
            self._dirty.clear()
            taken_bytes, self._change_bytes = self._change_bytes, 0
            # The epoch of now: by the time of a retry we may have another, under which these may not be written.
            taken, epoch, timeline = self._take(), self._fence.epoch, self.timeline
            while taken.changes:
                try:
                    lost = await self._database.write(lambda tx: taken.write(tx, epoch, timeline), touching=Touching())
                    if lost:
                        _log.warning("outcomes refused: the webhooks are another dispatcher's", webhooks=len(lost))
                        self.on_lost(lost)
                    break
                except Exception as error:
                    _log.error("could not store outcomes", exc_info=error)
                    await asyncio.sleep(RETRY_SECONDS)
            self._shrink(taken_bytes)

    async def _remember(self) -> None:
        """Append the attempts to history."""
        self._attempted.clear()
        attempts, self._attempts = self._attempts, []
        taken_bytes, self._attempt_bytes = self._attempt_bytes, 0
        await asyncio.get_running_loop().run_in_executor(self._thread, self._append, attempts)
        self._shrink(taken_bytes)

    def _shrink(self, size_bytes: int) -> None:
        was_full = self.is_full
        self._unwritten_bytes -= size_bytes
        if self._unwritten_bytes < MAX_UNWRITTEN_BYTES // 2 and not self._closing:
            self._hurry.clear()
        if was_full and not self.is_full:
            self.on_room()

    async def close(self) -> None:
        """Write the last of it."""
        self._closing = True
        self._hurry.set()
        self._dirty.set()
        self._attempted.set()
        await asyncio.gather(*self._writing)
        await self.flush()
        self._thread.shutdown(wait=True)
        if self._history is not None:
            self._history.close()

    def _take(self) -> Outcomes:
        positions = [_position(feed.snapshot()) for feed in self._feeds.values()]
        taken = Outcomes([*positions, *self._changes.values()])
        self._feeds, self._changes = {}, {}
        return taken

    def _append(self, attempts: list[Attempt]) -> None:
        if self._history is None or not attempts:
            return
        try:
            self._history.append(attempts)
        except Exception as error:
            _log.error("could not store history", attempts=len(attempts), exc_info=error)


def _position(position: Position) -> Change:
    return Change(position.webhook_id, lambda tx: deliveries.put_position(tx, position))
