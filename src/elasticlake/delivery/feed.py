"""One webhook's way through one bucket's log: a pure state machine that says what may be sent, and how far all is
settled.

The window holds the events read ahead of the position. Events of one lane (a key, by default) go out one at a time, in
sequence (I5). A failure parks its lane: the position passes the failing event and whatever its lane holds behind it,
which waits in the log, not in memory.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from elasticlake.metadata.deliveries import Counted, Lane, Position
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Ordering, lane_key

WINDOW = 256
MAX_LANES = 10_000


@dataclass(slots=True)
class ParkedLane:
    """A lane whose head failed; the event itself is read from the log for each attempt."""

    key: bytes
    head_sequence: int
    attempts: int
    next_attempt_at_ms: int


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
    event_types: frozenset[str]
    read_up_to: int
    counts: dict[Counted, int]
    budget: Budget = field(default_factory=Budget)
    ready: deque[Event] = field(default_factory=deque)
    due: deque[ParkedLane] = field(default_factory=deque)
    in_flight: int = 0
    revision: int = 0
    """The webhook's, when the feed was opened."""
    lanes: dict[bytes, ParkedLane] = field(default_factory=dict)
    _window: deque[int] = field(default_factory=deque)
    _settled: set[int] = field(default_factory=set)
    _queues: dict[bytes, deque[Event]] = field(default_factory=dict)
    # Lanes that ended before the log was read up to their head, and that head's sequence: after a crash the position
    # may lie before it, and what comes by of such a lane until then is settled.
    _ended_ahead: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def resume(
        cls, position: Position, lanes: list[Lane], ordering: Ordering, event_types: frozenset[str], budget: Budget
    ) -> Feed:
        """Go on where an earlier dispatcher stopped."""
        counts: dict[Counted, int] = {
            "delivered": position.delivered,
            "dead": position.dead,
            "canceled": position.canceled,
            "expired": position.expired,
        }
        feed = cls(position.webhook_id, position.bucket_id, ordering, event_types, position.sequence, counts, budget)
        for lane in lanes:
            feed.lanes[lane.key] = ParkedLane(lane.key, lane.head_sequence, lane.attempts, lane.next_attempt_at_ms)
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
        return len(self._window) < WINDOW // 2 and len(self.lanes) < MAX_LANES

    def is_drained(self, sequence: int) -> bool:
        """Whether everything up to that sequence is resolved."""
        return self.position >= sequence and not self.lanes and not self.in_flight

    def lane_of(self, event: Event) -> bytes:
        return lane_key(self.ordering, event.key, event.sequence)

    def add(self, events: list[Event]) -> None:
        """Take the log's next events into the window."""
        for event in events:
            assert event.sequence == self.read_up_to + 1, "the log has a gap"
            self.read_up_to = event.sequence
            if event.type not in self.event_types:
                self._pass(event.sequence)
                continue
            lane = self.lane_of(event)
            if lane in self.lanes or self._ended_before(lane, event.sequence):
                self._pass(event.sequence)
                continue
            self._append(event.sequence)
            queue = self._queues.get(lane)
            if queue is None:
                self._queues[lane] = deque((event,))
                self.ready.append(event)
            else:
                queue.append(event)

    def settle(self, event: Event, outcome: Counted) -> None:
        """The event's delivery ended; the next of its lane may go."""
        self.counts[outcome] += 1
        lane = self.lane_of(event)
        queue = self._queues[lane]
        assert queue[0] is event
        queue.popleft()
        self._mark(event.sequence)
        if queue:
            self.ready.append(queue[0])
        else:
            del self._queues[lane]

    def park(self, event: Event, attempts: int, next_attempt_at_ms: int) -> ParkedLane:
        """The event's attempt failed: its lane waits, and the position need not."""
        lane = self.lane_of(event)
        for queued in self._queues.pop(lane):
            self._mark(queued.sequence)
        parked = ParkedLane(lane, event.sequence, attempts, next_attempt_at_ms)
        self.lanes[lane] = parked
        return parked

    def retry(self, lane: ParkedLane, attempts: int, next_attempt_at_ms: int) -> None:
        """The lane's head failed again."""
        lane.attempts, lane.next_attempt_at_ms = attempts, next_attempt_at_ms

    def advance_lane(self, lane: ParkedLane, outcome: Counted, following: Event | None, now_ms: int) -> None:
        """The lane's head ended; `following` is the lane's next event that the position has passed, if there is one."""
        self.counts[outcome] += 1
        if following is None:
            del self.lanes[lane.key]
            if lane.head_sequence > self.read_up_to:
                self._ended_ahead[lane.key] = lane.head_sequence
        else:
            lane.head_sequence, lane.attempts, lane.next_attempt_at_ms = following.sequence, 0, now_ms

    def put_back(self, event: Event) -> None:
        """The event was not attempted after all (our own fault, never the receiver's): it is the next to go."""
        self.ready.appendleft(event)

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
        return Lane(*place, lane.head_sequence, lane.attempts, lane.next_attempt_at_ms, self.ordering)

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
            self._settled.discard(self._window.popleft())
            self.budget.spend(-1)

    def _append(self, sequence: int) -> None:
        self._window.append(sequence)
        self.budget.spend(1)
