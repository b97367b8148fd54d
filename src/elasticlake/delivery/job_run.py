"""A job under way: a pure state machine that says what of it may be sent, and how far all is done with.

As in a feed, what one key has goes out one at a time and in sequence. What is counted lies before the cursor, so that
after a crash, which sends again what lies beyond it, the counts are still right.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from elasticlake.metadata.jobs import Job
from elasticlake.model.events import Event
from elasticlake.model.jobs import Cursor, Tally, generation_of
from elasticlake.model.webhooks import Webhook
from elasticlake.service.job_source import Batch
from elasticlake.service.selection import Selection

WINDOW = 128

Outcome = Literal["delivered", "failed", "skipped", "passed"]


@dataclass(slots=True, eq=False)
class Item:
    """Something in the window. One that `passed` was not to be sent: it only carries the cursor on."""

    cursor: Cursor
    scanned: int
    event: Event | None = None
    is_dead: bool = False
    outcome: Outcome | None = None


@dataclass(slots=True, eq=False)
class JobRun:
    """The state of one job. `cursor` and `tally` are what may be stored."""

    job: Job
    cursor: Cursor
    tally: Tally
    read_up_to: Cursor
    ready: deque[Item] = field(default_factory=deque)
    postponed: list[Item] = field(default_factory=list)
    """What could not be sent because its key's lane was busy: it is tried again a moment later."""
    in_flight: int = 0
    is_read: bool = False
    try_again_at: float = float("-inf")
    """When, by a monotonic clock."""
    next_at: float = float("-inf")
    """When its own rate allows the next attempt, by a monotonic clock."""
    selection: Selection | None = None
    revision: int = 0
    """The webhook's, of which the selection is."""
    _window: deque[Item] = field(default_factory=deque)
    _queues: dict[tuple[int, bytes], deque[Item]] = field(default_factory=dict)

    @classmethod
    def resume(cls, job: Job) -> JobRun:
        """Go on where an earlier dispatcher stopped."""
        return cls(job, job.cursor, job.tally, job.cursor)

    @property
    def feed_id(self) -> tuple[str, int]:
        """Under which it takes turns with the webhook's feeds, whose second part is a bucket's id."""
        return (self.job.webhook_id, -self.job.number)

    @property
    def generation(self) -> int:
        """Of its deliveries."""
        return generation_of(self.job.number, self.job.kind)

    @property
    def may_read(self) -> bool:
        return not self.is_read and len(self._window) < WINDOW // 2

    @property
    def is_over(self) -> bool:
        """Whether everything was looked at, and all of it is done with."""
        return self.is_read and not self._window

    def selecting(self, webhook: Webhook, make: Callable[[Webhook], Selection]) -> Selection:
        """What the webhook, as it is defined now, lets through."""
        if self.selection is None or self.revision != webhook.revision:
            self.selection, self.revision = make(webhook), webhook.revision
        return self.selection

    def add(self, batch: Batch, webhook: Webhook) -> None:
        """Take what was found next into the window."""
        for found in batch.found:
            item = Item(found.cursor, found.scanned, found.event, found.is_dead)
            self._window.append(item)
            queue = self._queues.setdefault(self._lane(webhook, found.event), deque())
            queue.append(item)
            if len(queue) == 1:
                self.ready.append(item)
        self._window.append(Item(batch.cursor, batch.passed, outcome="passed"))
        self.read_up_to, self.is_read = batch.cursor, batch.is_last
        self._advance()

    def settle(self, item: Item, outcome: Outcome) -> None:
        """The item is done with; the next of its key may go."""
        item.outcome = outcome
        for lane in self._lanes(item):
            queue = self._queues[lane]
            queue.popleft()
            if queue:
                self.ready.append(queue[0])
            else:
                del self._queues[lane]
        self._advance()

    def put_back(self, item: Item) -> None:
        """The item was not attempted after all: it is the next to go."""
        self.ready.appendleft(item)

    def postpone(self, item: Item, try_again_at: float) -> None:
        """The item has to wait for what is under way for its key."""
        if not self.postponed:
            self.try_again_at = try_again_at
        self.postponed.append(item)

    def try_postponed(self) -> None:
        """Let what was postponed be tried again, before what comes after it."""
        self.ready.extendleft(reversed(self.postponed))
        self.postponed.clear()

    def progress(self, now_ms: int) -> Job:
        """The job as it may be stored now."""
        return replace(self.job, cursor=self.cursor, tally=self.tally, updated_at_ms=now_ms)

    def _lane(self, webhook: Webhook, event: Event) -> tuple[int, bytes]:
        return (event.bucket_id, b"" if webhook.ordering == "bucket" else event.key)

    def _lanes(self, item: Item) -> list[tuple[int, bytes]]:
        """The lane that the item is the first of, whatever the webhook's order was when it came in."""
        assert item.event is not None
        lanes = [(item.event.bucket_id, item.event.key), (item.event.bucket_id, b"")]
        return [lane for lane in lanes if lane in self._queues and self._queues[lane][0] is item]

    def _advance(self) -> None:
        """Count what is done with, as far as nothing before it is not."""
        tally = self.tally
        counts = {name: getattr(tally, name) for name in ("scanned", "matched", "delivered", "failed", "skipped")}
        while self._window and self._window[0].outcome is not None:
            item = self._window.popleft()
            self.cursor = item.cursor
            counts["scanned"] += item.scanned
            if item.outcome != "passed":
                counts["matched"] += 1
                counts[item.outcome or ""] += 1
        self.tally = Tally(**counts)
