"""Delivery without a network: a log, receivers that fail as chance has it, and a dispatcher that dies at any moment;
if asked for, retention takes the log's beginning meanwhile.

It plays the dispatcher around the pure `Feed` by the same rules: read on while there is room, send what is ready, park
what failed, store positions and lanes of one moment together. Everything is checked as it happens.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from elasticlake.delivery.batching import Batching
from elasticlake.delivery.coalescing import Following, coalesced
from elasticlake.delivery.feed import WINDOW, Budget, Feed, ParkedLane
from elasticlake.delivery.feeds import READ_EVENTS
from elasticlake.delivery.reordering import back_to_lanes
from elasticlake.metadata.deliveries import Counted, Lane, Position
from elasticlake.model.events import Event, EventType
from elasticlake.model.webhooks import Ordering, lane_key
from elasticlake.service.selection import Selection

WEBHOOK, BUCKET = "wh_1", 7
RETRIES = 3
ORDERINGS: tuple[Ordering, ...] = ("key", "bucket", "none")
TYPES: tuple[EventType, ...] = ("object:created", "object:updated", "object:deleted")
ALL_TYPES: tuple[EventType, ...] = (*TYPES, "multipart:completed")


def make_event(sequence: int, key: bytes, event_type: EventType) -> Event:
    return Event(
        f"evt_{sequence}",
        BUCKET,
        "bucket",
        sequence,
        event_type,
        0,
        key,
        1,
        "etag",
        "text/plain",
        "l",
        "p",
        "PutObject",
    )


@dataclass
class Stored:
    """What the dispatcher's database holds: always of one moment."""

    position: Position
    lanes: dict[bytes, Lane] = field(default_factory=dict)


@dataclass
class Attempt:
    """An HTTP request under way: of an event in the window, or of a parked lane's head."""

    event: Event
    lane: ParkedLane | None
    stands_for: int = 0
    also: tuple[Event, ...] = ()


class Faulty(AssertionError):
    """A promise of delivery was broken."""


class Delivery:
    """One webhook in one bucket, from the first event until all are settled."""

    def __init__(
        self,
        seed: int,
        ordering: Ordering,
        subscribed: frozenset[str] = frozenset(TYPES),
        *,
        coalesces: bool = False,
        batches: int = 0,
    ) -> None:
        self.chance = random.Random(seed)
        self.ordering = ordering
        self.coalesces = coalesces
        self.batching = Batching(batches, 0, lambda event: 1) if batches else None
        self.subscribed = subscribed
        self.failure_rate = self.chance.choice((0.0, 0.1, 0.5, 0.95))
        self.keys = [bytes([97 + number]) for number in range(self.chance.choice((1, 3, 40)))]
        self.log: list[Event] = []
        self.first_kept = 1
        self.stored = Stored(Position(WEBHOOK, BUCKET, 0))
        self.now_ms = 0
        self.ended: dict[int, Counted] = {}
        # What is unresolved, in sequence: of all, and of each lane.
        self.unresolved: dict[int, Event] = {}
        self.unresolved_of_lane: dict[bytes, dict[int, Event]] = {}
        self.crashes = 0
        self.lost_leases = 0
        self.jumps = 0
        self.reorderings = 0
        self._start()

    def _start(self) -> None:
        self.budget = Budget()
        lanes = list(self.stored.lanes.values())
        self.feed = Feed.resume(self.stored.position, lanes, self.ordering, Selection(self.subscribed), self.budget)
        self.feed.coalesces, self.feed.batching = self.coalesces, self.batching
        self.in_flight: list[Attempt] = []
        # How many events each one stood for at its first attempt of this life.
        self.stood_for: dict[int, int] = {}
        self.went_with: dict[int, tuple[Event, ...]] = {}
        self.waiting = list(self.feed.lanes.values())
        self.due: list[ParkedLane] = []
        self.changed: dict[bytes, Lane | None] = {}
        # What this life has resolved: only the attempts of the lives before it may be repeated.
        self.resolved: set[int] = set()

    # What may happen.

    def write(self, count: int) -> None:
        types = ALL_TYPES if self.coalesces else TYPES
        for _ in range(count):
            event = make_event(len(self.log) + 1, self.chance.choice(self.keys), self.chance.choice(types))
            self.log.append(event)
            if event.type in self.subscribed:
                self.unresolved[event.sequence] = event
                self.unresolved_of_lane.setdefault(self._lane(event), {})[event.sequence] = event

    def read_on(self) -> None:
        if self.feed.may_read and self.feed.read_up_to < len(self.log):
            if self.feed.read_up_to + 1 < self.first_kept:
                self.feed.expire(self.first_kept - 1)
            start = self.feed.read_up_to
            self.feed.add(self.log[start : start + READ_EVENTS])
        if len(self.feed._window) > WINDOW or self.budget.used != len(self.feed._window):
            raise Faulty(f"{len(self.feed._window)} events in the window, {self.budget.used} in the budget")

    def send(self) -> None:
        """Begin the next attempt, of a due lane before a first one."""
        if self.due and self._is_gone(self.due[0].head_sequence):
            self._end_gone_head(self.due.pop(0))
        elif self.due:
            lane = self.due.pop(0)
            also = [event for event in self.log[lane.head_sequence : lane.end_sequence] if self._is_wanted(event)]
            self._begin(Attempt(self.log[lane.head_sequence - 1], lane, lane.coalesced, tuple(also)))
        elif (event := self.feed.take()) is not None:
            also_ = self.feed.batches.get(event.sequence, ())
            self._begin(Attempt(event, None, self.feed.absorbed.get(event.sequence, 0), also_))

    def answer(self) -> None:
        """Some receiver answers."""
        if not self.in_flight:
            return
        attempt = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
        failed = self.chance.random() < self.failure_rate
        if attempt.lane is None:
            self._answer_first(attempt, failed)
        else:
            self._answer_lane(attempt, attempt.lane, failed)

    def lose_own_nerve(self) -> None:
        """A fault of the dispatcher's own ends an attempt before it counted."""
        if self.in_flight:
            attempt = self.in_flight.pop()
            if attempt.lane is None:
                self.feed.put_back(attempt.event)
            else:
                self.due.insert(0, attempt.lane)

    def wait(self) -> None:
        self.now_ms += self.chance.choice((1, 10, 100))
        due = [lane for lane in self.waiting if lane.next_attempt_at_ms <= self.now_ms]
        self.waiting = [lane for lane in self.waiting if lane.next_attempt_at_ms > self.now_ms]
        self.due += due

    def store(self) -> None:
        """One transaction: the position of this moment, and the lanes that changed."""
        self.stored = Stored(self.feed.snapshot(), dict(self.stored.lanes))
        for key, lane in self.changed.items():
            if lane is None:
                self.stored.lanes.pop(key, None)
            else:
                self.stored.lanes[key] = lane
        self.changed = {}
        self._check_position(self.stored.position.sequence, set(self.stored.lanes))
        self._check_counts(self.stored)

    def crash(self) -> None:
        self.crashes += 1
        self._start()

    def lose_lease(self) -> None:
        """Another dispatcher goes on from what is stored, while requests of this one are still under way: what they
        come to is refused by the fence, whatever the receiver made of them."""
        self.lost_leases += 1
        self._start()

    def jump(self) -> None:
        """The machine's clock is set, forward or back."""
        self.jumps += 1
        self.now_ms = max(0, self.now_ms + self.chance.choice((-500, -20, 300, 5000)))

    def trim(self) -> None:
        """Retention takes the log's oldest events, whatever became of them."""
        size = self.chance.choice((1, 20, 300))
        self.first_kept = min(len(self.log) + 1, self.first_kept + self.chance.randrange(1 + size))

    def change_ordering(self) -> None:
        """The owner asks for another order: what the old one parked is read again, and parked anew if it fails."""
        if self.in_flight:
            return
        self.store()
        self.ordering = self.chance.choice(ORDERINGS)
        lanes = self.stored.lanes.values()
        if any(lane.ordering != self.ordering for lane in lanes):
            self.stored = Stored(back_to_lanes(self.stored.position, list(lanes), self.first_kept))
        self.unresolved_of_lane = {}
        for event in self._matching():
            held = self.unresolved_of_lane.setdefault(self._lane(event), {})
            if event.sequence in self.unresolved:
                held[event.sequence] = event
        self.reorderings += 1
        self._start()

    # What has to hold.

    def _begin(self, attempt: Attempt) -> None:
        event = attempt.event
        if event.type not in self.subscribed:
            raise Faulty(f"{event.sequence} was not asked for")
        for earlier in list(self.unresolved_of_lane[self._lane(event)].values()):
            if earlier.sequence < event.sequence:
                self._coalesce(earlier, event)
        if self.stood_for.setdefault(event.sequence, attempt.stands_for) != attempt.stands_for:
            raise Faulty(f"{event.sequence} changed after its first attempt")
        if self.went_with.setdefault(event.sequence, attempt.also) != attempt.also:
            raise Faulty(f"the batch of {event.sequence} changed after its first attempt")
        members = [one.sequence for one in attempt.also if one.sequence in self.unresolved]
        waiting = [one for one in self.unresolved_of_lane[self._lane(event)] if one > event.sequence]
        held = [one for one in waiting if one in members or not self._is_gone(one)]
        if members != held[: len(members)]:
            raise Faulty(f"the batch of {event.sequence} leaves some out")
        for other_attempt in self.in_flight:
            if self._lane(other_attempt.event) == self._lane(event):
                raise Faulty(f"{event.sequence} is attempted beside {other_attempt.event.sequence}")
        if event.sequence in self.resolved:
            raise Faulty(f"{event.sequence} is attempted again in the same life")
        self.in_flight.append(attempt)

    def _coalesce(self, earlier: Event, attempted: Event) -> None:
        """An event is passed over: that is right only if its webhook asks for it, and a later one says more."""
        if self._is_gone(earlier.sequence):
            self._end(earlier, "expired")
            return
        # An earlier life may have read further than this one has.
        later = self.log[earlier.sequence :]
        if not self.coalesces or not any(self._says_more(event, earlier) for event in later):
            raise Faulty(f"{attempted.sequence} is attempted while {earlier.sequence} is unresolved")
        self._end(earlier, "coalesced")

    def _is_said_later(self, event: Event) -> bool:
        """Whether it may be passed over because a later one is still to come."""
        waiting = self.unresolved_of_lane[self._lane(event)].values() if self.coalesces else ()
        return any(later.sequence > event.sequence and self._says_more(later, event) for later in waiting)

    def _says_more(self, later: Event, earlier: Event) -> bool:
        is_upload = [event.type == "multipart:completed" for event in (later, earlier)]
        return later.key == earlier.key and is_upload[0] == is_upload[1]

    def _check_position(self, position: int, lanes: set[bytes]) -> None:
        for event in self.unresolved.values():
            if event.sequence > position:
                return
            is_accounted = self._lane(event) in lanes or self._is_gone(event.sequence)
            if not is_accounted and not self._is_said_later(event):
                raise Faulty(f"the position {position} passed {event.sequence}, which is neither settled nor in a lane")

    def _check_counts(self, stored: Stored) -> None:
        """What is stored counts no event twice as expired; with `bucket` order, it counts each that has ended once."""
        if stored.position.expired >= self.first_kept:
            raise Faulty(f"{stored.position.expired} expired, of which the log had {self.first_kept - 1}")
        if self.ordering != "bucket" or self.reorderings or not self._wants_all:
            return
        ended = min((lane.head_sequence - 1 for lane in stored.lanes.values()), default=stored.position.sequence)
        if _counted(stored.position) != ended:
            raise Faulty(f"{_counted(stored.position)} are counted of {ended}")

    def check_end(self) -> None:
        """Everything that matches was delivered or is dead, and counted once for each time it ended; or it expired."""
        missing = [
            event.sequence
            for event in self._matching()
            if event.sequence not in self.ended and not self._is_gone(event.sequence)
        ]
        if missing:
            raise Faulty(f"never delivered: {missing}")
        if self.feed.position != len(self.log) or self.feed.lanes:
            raise Faulty(f"the position ends at {self.feed.position} of {len(self.log)}, lanes {self.feed.lanes}")
        is_one_life = not (self.crashes or self.lost_leases or self.reorderings)
        if self.first_kept > 1:
            self._check_end_of_trimmed(is_one_life=is_one_life)
            return
        counted = sum(self.feed.counts.values())
        if is_one_life and counted != len(self.ended):
            raise Faulty(f"{counted} are counted, {len(self.ended)} ended")
        if counted < len(self._matching()):
            raise Faulty(f"{counted} are counted of {len(self._matching())}")

    def _check_end_of_trimmed(self, *, is_one_life: bool) -> None:
        """With `key` order nobody knows how many of a lane's events were gone before the lane came to them."""
        counted, least = sum(self.feed.counts.values()), len(self._matching())
        if self.ordering != "key" and not self.reorderings and counted < least:
            raise Faulty(f"{counted} are counted of {least}")
        if not is_one_life:
            return
        for outcome in ("delivered", "dead"):
            if self.feed.counts[outcome] != list(self.ended.values()).count(outcome):
                raise Faulty(f"{self.feed.counts} are counted, {self.ended} ended")
        if counted > len(self.log) or (self.ordering != "key" and self._wants_all and counted < len(self.log)):
            raise Faulty(f"{counted} are counted of {len(self.log)}")

    @property
    def _wants_all(self) -> bool:
        return self.subscribed >= {event.type for event in self.log}

    def _is_gone(self, sequence: int) -> bool:
        return sequence < self.first_kept

    def _matching(self) -> list[Event]:
        return [event for event in self.log if event.type in self.subscribed]

    def _lane(self, event: Event) -> bytes:
        return lane_key(self.ordering, event.key, event.sequence)

    # The dispatcher's part.

    def _answer_first(self, attempt: Attempt, failed: bool) -> None:
        event = attempt.event
        if failed:
            lane = self.feed.park(event, 1, self.now_ms + self.chance.randrange(200))
            self._lane_changed(lane)
            self.waiting.append(lane)
        else:
            self._end_all(attempt, "delivered")
            self.feed.settle(event, "delivered")

    def _answer_lane(self, attempt: Attempt, lane: ParkedLane, failed: bool) -> None:
        attempts = lane.attempts + 1
        if failed and attempts < RETRIES:
            self.feed.retry(lane, attempts, self.now_ms + self.chance.randrange(200))
            self._lane_changed(lane)
            self.waiting.append(lane)
            return
        outcome: Counted = "dead" if failed else "delivered"
        self._end_all(attempt, outcome)
        following = self._following(lane)
        self.feed.advance_lane(lane, outcome, following, self.now_ms, 1 + len(attempt.also))
        self._lane_changed(lane)
        if following.event is not None:
            self.waiting.append(lane)

    def _following(self, lane: ParkedLane) -> Following:
        if self.ordering == "none":
            return Following()
        last = max(lane.head_sequence, lane.end_sequence)
        behind = [
            event
            for event in self.log[max(last, self.first_kept - 1) : self.feed.read_up_to]
            if self._is_wanted(event) and self._lane(event) == lane.key
        ]
        found = self._first_of(behind)
        if self.ordering == "bucket":
            gone = min(self.first_kept - 1, self.feed.read_up_to) - last
            found = found._replace(expired=max(0, gone))
        return found

    def _first_of(self, behind: list[Event]) -> Following:
        if self.batching is not None and behind:
            also = self.batching.fill(behind[0], behind[1:])
            return Following(behind[0], end_sequence=also[-1].sequence if also else 0)
        if self.coalesces:
            return asyncio.run(coalesced(_each(behind)))
        return Following(behind[0]) if behind else Following()

    def _end_gone_head(self, lane: ParkedLane) -> None:
        """Retention took what the lane waits to send."""
        lane.end_sequence = 0
        if (event := self.unresolved.get(lane.head_sequence)) is not None:
            self._end(event, "expired")
        following = self._following(lane)
        self.feed.advance_lane(lane, "expired", following, self.now_ms)
        self._lane_changed(lane)
        if following.event is not None:
            self.waiting.append(lane)

    def _lane_changed(self, lane: ParkedLane) -> None:
        self.changed[lane.key] = self.feed.lane_row(lane) if lane.key in self.feed.lanes else None

    def _is_wanted(self, event: Event) -> bool:
        return event.type in self.subscribed

    def _end_all(self, attempt: Attempt, outcome: Counted) -> None:
        for event in (attempt.event, *attempt.also):
            self._end(event, outcome)

    def _end(self, event: Event, outcome: Counted) -> None:
        self.ended[event.sequence] = outcome
        self.resolved.add(event.sequence)
        self.unresolved.pop(event.sequence, None)
        self.unresolved_of_lane[self._lane(event)].pop(event.sequence, None)


def _counted(position: Position) -> int:
    return position.delivered + position.dead + position.canceled + position.expired + position.coalesced


async def _each(events: list[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


def deliver(
    seed: int,
    ordering: Ordering,
    *,
    steps: int = 400,
    coalesces: bool = False,
    batches: int = 0,
    retention: bool = False,
) -> Delivery:
    """A whole life: chance decides what happens next, then everything that is left is let happen."""
    wanted = frozenset(ALL_TYPES) if coalesces else random.Random(seed).choice((frozenset(TYPES), frozenset(TYPES[:1])))
    delivery = Delivery(seed, ordering, wanted, coalesces=coalesces, batches=batches)
    chance = delivery.chance
    crash_rate, reordering_rate = chance.choice((0, 1)), 0 if coalesces or batches else chance.choice((0, 0, 1))
    actions = (
        lambda: delivery.write(chance.choice((1, 5, 100))),
        delivery.read_on,
        delivery.send,
        delivery.answer,
        delivery.wait,
        delivery.store,
        delivery.lose_own_nerve,
        delivery.crash,
        delivery.lose_lease,
        delivery.jump,
        delivery.change_ordering,
        delivery.trim,
    )
    weights = (4, 10, 30, 25, 8, 6, 1, crash_rate, crash_rate / 2, 0.5, reordering_rate, 3 if retention else 0)
    for _ in range(steps):
        chance.choices(actions, weights=weights)[0]()
    for _ in range(100_000):
        delivery.read_on()
        delivery.send()
        delivery.answer()
        delivery.wait()
        delivery.store()
        quiet = not (delivery.in_flight or delivery.feed.ready or delivery.due or delivery.waiting)
        if quiet and delivery.feed.read_up_to == len(delivery.log):
            break
    delivery.check_end()
    return delivery
