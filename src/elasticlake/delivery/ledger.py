"""What became of deliveries, on its way to the disk: many outcomes in one short transaction, many attempts in one batch.

The snapshot of positions and lanes is taken at one moment, so that whatever survives a crash fits together: at worst the
window's events are sent again (I4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from elasticlake.delivery.feed import Feed, ParkedLane
from elasticlake.metadata import deliveries
from elasticlake.metadata.database import Database, Transaction
from elasticlake.metadata.deliveries import DeadDelivery, Lane, Position, RequestedDelivery
from elasticlake.metadata.history import Attempt, HistoryWriter

FLUSH_SECONDS = 0.02
RETRY_SECONDS = 1.0
MAX_ATTEMPTS_WAITING = 20_000

_log = structlog.get_logger("delivery")
LaneId = tuple[str, int, bytes]


class Ledger:
    """Collects outcomes and writes them in the background."""

    def __init__(self, database: Database, history: HistoryWriter | None) -> None:
        self._database = database
        self._history = history
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._feeds: dict[tuple[str, int], Feed] = {}
        self._lanes: dict[LaneId, Lane | None] = {}
        self._dead: list[DeadDelivery] = []
        self._requested: list[RequestedDelivery] = []
        self._attempts: list[Attempt] = []
        self._dirty = asyncio.Event()
        self._closing = False

    def moved(self, feed: Feed) -> None:
        """The feed's position or counts changed."""
        self._feeds[feed.webhook_id, feed.bucket_id] = feed
        self._dirty.set()

    def lane_changed(self, feed: Feed, lane: ParkedLane) -> None:
        """The lane was parked, retried, advanced, or (if the feed no longer has it) ended."""
        row = feed.lane_row(lane) if lane.key in feed.lanes else None
        self._lanes[feed.webhook_id, feed.bucket_id, lane.key] = row
        self.moved(feed)

    def died(self, dead: DeadDelivery) -> None:
        self._dead.append(dead)
        self._dirty.set()

    def requested(self, delivery: RequestedDelivery) -> None:
        self._requested.append(delivery)
        self._dirty.set()

    def attempted(self, attempt: Attempt) -> None:
        """Remember the attempt, as information: if the disk cannot keep up, the oldest are let go, not the deliveries."""
        if self._history is None:
            return
        if len(self._attempts) >= MAX_ATTEMPTS_WAITING:
            del self._attempts[: MAX_ATTEMPTS_WAITING // 10]
        self._attempts.append(attempt)
        self._dirty.set()

    def forget(self, webhook_id: str) -> None:
        """The webhook is gone: nothing of it is to be written any more."""
        self._feeds = {key: feed for key, feed in self._feeds.items() if key[0] != webhook_id}
        self._lanes = {key: lane for key, lane in self._lanes.items() if key[0] != webhook_id}

    async def run(self) -> None:
        """Write whatever comes, until closed."""
        while not self._closing:
            await self._dirty.wait()
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write everything collected so far; on a fault, keep it and try again."""
        self._dirty.clear()
        attempts, self._attempts = self._attempts, []
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self._append, attempts)
        mutation = self._take()
        while mutation is not None:
            try:
                await self._database.write(mutation)
                break
            except Exception as error:
                _log.error("could not store outcomes", exc_info=error)
                await asyncio.sleep(RETRY_SECONDS)
        await writing

    async def close(self) -> None:
        """Write the last of it."""
        self._closing = True
        self._dirty.set()
        await self.flush()
        self._thread.shutdown(wait=True)
        if self._history is not None:
            self._history.close()

    def _take(self) -> Callable[[Transaction], None] | None:
        positions = [feed.snapshot() for feed in self._feeds.values()]
        lanes, dead, requested = self._lanes, self._dead, self._requested
        self._feeds, self._lanes, self._dead, self._requested = {}, {}, [], []
        if not (positions or lanes or dead or requested):
            return None
        return lambda tx: _write(tx, positions, lanes, dead, requested)

    def _append(self, attempts: list[Attempt]) -> None:
        if self._history is None or not attempts:
            return
        try:
            self._history.append(attempts)
        except Exception as error:
            _log.error("could not store history", attempts=len(attempts), exc_info=error)


def _write(
    tx: Transaction,
    positions: list[Position],
    lanes: dict[LaneId, Lane | None],
    dead: list[DeadDelivery],
    requested: list[RequestedDelivery],
) -> None:
    for position in positions:
        deliveries.put_position(tx, position)
    for lane_id, lane in lanes.items():
        if lane is None:
            deliveries.delete_lane(tx, *lane_id)
        else:
            deliveries.put_lane(tx, lane)
    for ended in dead:
        deliveries.put_dead(tx, ended)
    for delivery in requested:
        deliveries.put_requested(tx, delivery)
