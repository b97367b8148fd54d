"""One webhook's way through one bucket's log: a pure state machine that says what may be sent, and how far all is
settled.

The window holds the events read ahead of the position. Events of one lane (a key, by default) go out one at a time, in
sequence (I5). A failure parks its lane: the position passes the failing event and whatever its lane holds behind it,
which waits in the log, not in memory.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from elasticlake.delivery.batching import Batching
from elasticlake.delivery.coalescing import Following, supersedes
from elasticlake.delivery.gone import Gone
from elasticlake.metadata.deliveries import Counted, Lane, Position
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Ordering, lane_key
from elasticlake.service.selection import Selection

WINDOW = 256
MAX_LANES = 10_000


@dataclass(slots=True)
class ParkedLane:
    """A lane whose head failed; the event itself is read from the log for each attempt."""

    key: bytes
    head_sequence: int
    attempts: int
    next_attempt_at_ms: int
    coalesced: int = 0
    """How many earlier events its head stands for."""
    end_sequence: int = 0
    """The last event of the batch that its head begins; 0 where that goes alone."""


@dataclass(slots=True)
class Budget:
    """How many events all windows hold together, so that memory is bounded whatever the backlog (I6)."""

    used: int = 0
    whole: Budget | None = None
    """What this is a share of: one webhook's, of all webhooks'."""

    def spend(self, events: int) -> None:
        self.used += events
        if self.whole is not None:
            self.whole.spend(events)


@dataclass(slots=True)
class Feed:
    """The state of (webhook, bucket)."""

    webhook_id: str
    bucket_id: int
    ordering: Ordering
    selection: Selection
    read_up_to: int
    counts: dict[Counted, int]
    budget: Budget = field(default_factory=Budget)
    ready: deque[Event] = field(default_factory=deque)
    due: deque[ParkedLane] = field(default_factory=deque)
    in_flight: int = 0
    coalesces: bool = False
    """Whether of a key's waiting events only the latest is sent."""
    absorbed: dict[int, int] = field(default_factory=dict)
    """How many earlier events an event of the window stands for, by its sequence."""
    batching: Batching | None = None
    batches: dict[int, tuple[Event, ...]] = field(default_factory=dict)
    """What goes in one request with an event of the window, by its sequence."""
    revision: int = 0
    """The webhook's, when the feed was opened."""
    lanes: dict[bytes, ParkedLane] = field(default_factory=dict)
    held: set[bytes] = field(default_factory=set)
    """Lanes in which something is being sent that is not in the log."""
    on_expired: Callable[[int], None] = lambda expired: None
    """Told how many events are counted as expired, whenever some are."""
    _window: deque[int] = field(default_factory=deque)
    _settled: set[int] = field(default_factory=set)
    _queues: dict[bytes, deque[Event]] = field(default_factory=dict)
    # Lanes that ended before the log was read up to their head, and that head's sequence: after a crash the position
    # may lie before it, and what comes by of such a lane until then is settled.
    _ended_ahead: dict[bytes, int] = field(default_factory=dict)
    _gone: Gone = field(default_factory=Gone)

    @classmethod
    def resume(
        cls, position: Position, lanes: list[Lane], ordering: Ordering, selection: Selection, budget: Budget
    ) -> Feed:
        """Go on where an earlier dispatcher stopped."""
        counts: dict[Counted, int] = {
            "delivered": position.delivered,
            "dead": position.dead,
            "canceled": position.canceled,
            "expired": position.expired,
            "coalesced": position.coalesced,
        }
        feed = cls(position.webhook_id, position.bucket_id, ordering, selection, position.sequence, counts, budget)
        for lane in lanes:
            feed.lanes[lane.key] = ParkedLane(
                lane.key,
                lane.head_sequence,
                lane.attempts,
                lane.next_attempt_at_ms,
                lane.coalesced,
                lane.end_sequence,
            )
        return feed

    @property
    def position(self) -> int:
        """Every sequence up to this one is settled, or its lane is parked."""
        return self._window[0] - 1 if self._window else self.read_up_to

    @property
    def may_read(self) -> bool:
        """Whether there is room to read on: in the window, and in lanes that failures might need."""
        if self.ordering == "bucket" and self.lanes:
            return False
        return len(self._window) < self._wanted and len(self.lanes) < MAX_LANES

    @property
    def _wanted(self) -> int:
        """How many events the window should hold before it is enough."""
        return WINDOW // 2 if self.batching is None else max(WINDOW // 2, self.batching.max_events)

    def is_drained(self, sequence: int) -> bool:
        """Whether everything up to that sequence is resolved."""
        return self.position >= sequence and not self.lanes and not self.in_flight

    def lane_of(self, event: Event) -> bytes:
        return lane_key(self.ordering, event.key, event.sequence)

    def add(self, events: list[Event]) -> None:
        """Take the log's next events into the window."""
        types, refuses = self.selection.types, self.selection.refuses
        for event in events:
            assert event.sequence == self.read_up_to + 1, "the log has a gap"
            self.read_up_to = event.sequence
            if event.type not in types:
                self._pass(event.sequence)
                continue
            lane = self.lane_of(event)
            if lane in self.lanes or self._ended_before(lane, event.sequence):
                # Whether it is refused is asked when its lane comes to it.
                self._pass(event.sequence)
                continue
            if refuses is not None and refuses(event):
                self._pass(event.sequence)
                continue
            self._append(event.sequence)
            queue = self._queues.get(lane)
            if queue is None:
                self._queues[lane] = deque((event,))
                if lane not in self.held:
                    self.ready.append(event)
            else:
                queue.append(event)

    def expire(self, sequence: int) -> int:
        """Retention took the log up to that sequence: pass what was not read of it; returns how many sequences.

        They are counted when the position passes them: whoever goes on from a position before finds them gone anew.
        """
        expired = max(0, sequence - self.read_up_to)
        if expired:
            first, self.read_up_to = self.read_up_to + 1, sequence
            self._gone.add(first, sequence, self._ended_ahead.values())
            self._ended_ahead = {lane: ended for lane, ended in self._ended_ahead.items() if ended > sequence}
            self._append(first)
            self._mark(first)
        return expired

    def shuffle(self, chance: random.Random) -> None:
        """Let another lane's event be the next of those that are ready, which wait for nothing but their turn."""
        if self.ready:
            self.ready.rotate(-chance.randrange(len(self.ready)))

    def take(self) -> Event | None:
        """The next event for its first attempt, which is where it is decided whether a later one of its key says more;
        None if there is none."""
        while self.ready:
            event = self.ready.popleft()
            successor = self._successor(event) if self.coalesces else None
            if successor is None:
                if self.batching is not None and event.sequence not in self.batches:
                    self.batches[event.sequence] = self.batching.fill(event, self._behind(event))
                return event
            count = 1 + self.absorbed.get(event.sequence, 0)
            self.absorbed[successor.sequence] = count + self.absorbed.get(successor.sequence, 0)
            self.settle(event, "coalesced")
        return None

    def _successor(self, event: Event) -> Event | None:
        """The next event of the key that says more than this one."""
        return next((later for later in self._behind(event) if supersedes(later, event)), None)

    def _behind(self, event: Event) -> Iterator[Event]:
        """What waits in its lane behind the first."""
        return islice(self._queues[self.lane_of(event)], 1, None)

    def batch_wait_ms(self, now_ms: int) -> int:
        """How long what is ready waits to be joined by more."""
        if self.batching is None or not self.ready:
            return 0
        return self.batching.wait_ms(self.ready[0], len(self._queues[self.lane_of(self.ready[0])]), now_ms)

    def settle(self, event: Event, outcome: Counted) -> None:
        """The event's delivery ended, with all that went in one request with it; the next of its lane may go."""
        self.absorbed.pop(event.sequence, None)
        lane = self.lane_of(event)
        queue = self._queues[lane]
        for ended in (event, *self.batches.pop(event.sequence, ())):
            assert queue[0] is ended
            queue.popleft()
            self.counts[outcome] += 1
            self._mark(ended.sequence)
        if queue:
            self.ready.append(queue[0])
        else:
            del self._queues[lane]

    def park(self, event: Event, attempts: int, next_attempt_at_ms: int) -> ParkedLane:
        """The event's attempt failed: its lane waits, and the position need not."""
        lane = self.lane_of(event)
        parked = ParkedLane(lane, event.sequence, attempts, next_attempt_at_ms, self.absorbed.get(event.sequence, 0))
        if also := self.batches.pop(event.sequence, ()):
            parked.end_sequence = also[-1].sequence
        self.lanes[lane] = parked
        for queued in self._queues.pop(lane):
            self.absorbed.pop(queued.sequence, None)
            self._mark(queued.sequence)
        return parked

    def retry(self, lane: ParkedLane, attempts: int, next_attempt_at_ms: int) -> None:
        """The lane's head failed again."""
        lane.attempts, lane.next_attempt_at_ms = attempts, next_attempt_at_ms

    def advance_lane(
        self, lane: ParkedLane, outcome: Counted, following: Following, now_ms: int, events: int = 1
    ) -> None:
        """The lane's head ended, and with it as many events as its batch had; `following` is the lane's next event that
        the position has passed, if there is one."""
        self._count_head(lane.head_sequence, outcome, events)
        self._count_expired(following.expired)
        self.counts["coalesced"] += following.passed
        last = max(lane.head_sequence, lane.end_sequence)
        lane.coalesced, lane.end_sequence = following.stands_for, following.end_sequence
        if following.event is None:
            del self.lanes[lane.key]
            if last > self.read_up_to and outcome != "expired":
                self._ended_ahead[lane.key] = last
        else:
            lane.head_sequence, lane.attempts, lane.next_attempt_at_ms = following.event.sequence, 0, now_ms

    def put_back(self, event: Event) -> None:
        """The event was not attempted after all (our own fault, never the receiver's): it is the next to go."""
        self.ready.appendleft(event)

    def hold(self, lane: bytes) -> bool:
        """Keep the lane's events waiting while something else is sent in their place; False while it has any."""
        if lane in self._queues or lane in self.lanes or lane in self.held:
            return False
        self.held.add(lane)
        return True

    def release(self, lane: bytes) -> None:
        """The lane's own events may go again."""
        self.held.discard(lane)
        queue = self._queues.get(lane)
        if queue:
            self.ready.append(queue[0])

    def waits(self, lane: bytes, key: bytes) -> bool:
        """Whether an event of the key waits in the window."""
        return any(event.key == key for event in self._queues.get(lane, ()))

    def skip_to(self, sequence: int) -> int:
        """Jump over what its owner gave up; returns how many sequences were passed. Only with nothing in flight."""
        skipped = max(0, sequence - self.position) + len(self.lanes)
        self.counts["canceled"] += skipped
        self.give_back_budget()
        for collection in (
            self.ready,
            self.due,
            self._window,
            self._settled,
            self._queues,
            self._ended_ahead,
            self._gone,
            self.absorbed,
            self.batches,
            self.lanes,
        ):
            collection.clear()
        self.read_up_to = max(self.read_up_to, sequence)
        return skipped

    def give_back_budget(self) -> None:
        """The window is no longer kept in memory."""
        self.budget.spend(-len(self._window))

    def snapshot(self) -> Position:
        """What to store: consistent with the lanes of the same moment."""
        return Position(self.webhook_id, self.bucket_id, self.position, **self.counts)

    def lane_row(self, lane: ParkedLane) -> Lane:
        place = (self.webhook_id, self.bucket_id, lane.key)
        waits = (lane.head_sequence, lane.attempts, lane.next_attempt_at_ms)
        return Lane(*place, *waits, self.ordering, lane.coalesced, lane.end_sequence)

    def _ended_before(self, lane: bytes, sequence: int) -> bool:
        ended = self._ended_ahead.get(lane, 0)
        if sequence == ended:
            del self._ended_ahead[lane]
        return sequence <= ended

    def _pass(self, sequence: int) -> None:
        """An event that needs no delivery from the window."""
        if self._window:
            self._append(sequence)
            self._settled.add(sequence)

    def _mark(self, sequence: int) -> None:
        self._settled.add(sequence)
        while self._window and self._window[0] in self._settled:
            first = self._window.popleft()
            self._settled.discard(first)
            self.budget.spend(-1)
            if first in self._gone:
                self._count_gone(first)

    def _append(self, sequence: int) -> None:
        self._window.append(sequence)
        self.budget.spend(1)

    def _count_head(self, head: int, outcome: Counted, events: int) -> None:
        """A lane's head ended. One that expired beyond the position is counted with the span that it is in, or begins:
        the position has yet to pass it."""
        if outcome != "expired":
            self.counts[outcome] += events
            self._gone.is_counted(head)
        elif head <= self.position:
            self._count_expired(events)
        elif head <= self.read_up_to and head not in self._gone:
            self._gone.add(head, head)

    def _count_gone(self, first: int) -> None:
        """The position passed a span that retention took. With `bucket` order a parked lane counts it when its head
        ends, as all that waits behind that."""
        expired = self._gone.passed(first, [lane.head_sequence for lane in self.lanes.values()])
        if self.ordering != "bucket" or not self.lanes:
            self._count_expired(expired)

    def _count_expired(self, events: int) -> None:
        if events:
            self.counts["expired"] += events
            self.on_expired(events)
