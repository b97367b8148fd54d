"""Seeded lives of a feed: nothing is lost (I4), nothing overtakes (I5), the window stays bounded (I6)."""

from __future__ import annotations

from collections import Counter, deque

import pytest
from tests.simulation.receivers import BUCKET, ORDERINGS, TYPES, WEBHOOK, deliver, make_event

from elasticlake.delivery.coalescing import Following
from elasticlake.delivery.feed import Budget, Feed, ParkedLane
from elasticlake.metadata.deliveries import Counted, Lane, Position
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Ordering
from elasticlake.service.selection import Selection

SEEDS = 150
SOAK_SEEDS = 20_000


def deliver_all(seeds: range, ordering: Ordering) -> None:
    """Every seed's life ends well; together they saw deliveries, dead ones, crashes and changes of the order."""
    ends: Counter[str] = Counter()
    crashes = lost_leases = jumps = reorderings = 0
    for seed in seeds:
        try:
            delivery = deliver(seed, ordering)
        except (AssertionError, KeyError) as fault:
            raise AssertionError(f"seed {seed}, ordering {ordering}: {fault}") from fault
        ends.update(delivery.ended.values())
        crashes += delivery.crashes
        lost_leases += delivery.lost_leases
        jumps += delivery.jumps
        reorderings += delivery.reorderings
    assert min(ends["delivered"], ends["dead"], crashes, lost_leases, jumps, reorderings) > 0


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_every_event_ends_in_order_whatever_fails_and_whenever_the_dispatcher_dies(ordering: Ordering) -> None:
    deliver_all(range(SEEDS), ordering)


@pytest.mark.soak
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_every_event_ends_in_order_with_many_seeds(ordering: Ordering) -> None:
    deliver_all(range(SEEDS, SOAK_SEEDS), ordering)


def coalesce_all(seeds: range) -> None:
    """Of each key the latest of each kind always arrives, or is dead; together the seeds saw events passed over."""
    ends: Counter[str] = Counter()
    for seed in seeds:
        try:
            delivery = deliver(seed, "key", coalesces=True)
        except (AssertionError, KeyError) as fault:
            raise AssertionError(f"seed {seed}: {fault}") from fault
        ends.update(delivery.ended.values())
        latest = {(event.key, event.type == "multipart:completed"): event.sequence for event in delivery.log}
        assert all(delivery.ended[sequence] != "coalesced" for sequence in latest.values())
    assert min(ends["delivered"], ends["dead"], ends["coalesced"]) > 0


def test_coalescing_passes_over_what_a_later_event_says() -> None:
    coalesce_all(range(SEEDS))


@pytest.mark.soak
def test_coalescing_passes_over_what_a_later_event_says_with_many_seeds() -> None:
    coalesce_all(range(SEEDS, SOAK_SEEDS))


def batch_all(seeds: range) -> None:
    """Batches keep the bucket's order, and come again as they were composed."""
    for seed in seeds:
        try:
            deliver(seed, "bucket", batches=1 + seed % 20)
        except (AssertionError, KeyError) as fault:
            raise AssertionError(f"seed {seed}: {fault}") from fault


def test_batches_leave_nothing_out_and_never_change() -> None:
    batch_all(range(SEEDS))


@pytest.mark.soak
def test_batches_leave_nothing_out_and_never_change_with_many_seeds() -> None:
    batch_all(range(SEEDS, SOAK_SEEDS))


LOGS_THAT_ARE_TRIMMED: tuple[tuple[Ordering, bool, bool], ...] = (
    ("key", False, False),
    ("key", True, False),
    ("none", False, False),
    ("bucket", False, False),
    ("bucket", False, True),
)
"""Order, whether it coalesces, whether it batches."""


def expire_all(seeds: range, ordering: Ordering, *, coalesces: bool = False, is_batched: bool = False) -> None:
    """What retention takes is counted once, whenever the dispatcher dies; together the seeds saw some."""
    expired = 0
    for seed in seeds:
        batches = 1 + seed % 20 if is_batched else 0
        try:
            delivery = deliver(seed, ordering, coalesces=coalesces, batches=batches, retention=True)
        except (AssertionError, KeyError) as fault:
            raise AssertionError(f"seed {seed}, ordering {ordering}: {fault}") from fault
        expired += delivery.feed.counts["expired"]
    assert expired > 0


@pytest.mark.parametrize(("ordering", "coalesces", "is_batched"), LOGS_THAT_ARE_TRIMMED)
def test_what_retention_takes_is_counted_once(ordering: Ordering, coalesces: bool, is_batched: bool) -> None:
    expire_all(range(SEEDS), ordering, coalesces=coalesces, is_batched=is_batched)


@pytest.mark.soak
@pytest.mark.parametrize(("ordering", "coalesces", "is_batched"), LOGS_THAT_ARE_TRIMMED)
def test_what_retention_takes_is_counted_once_with_many_seeds(
    ordering: Ordering, coalesces: bool, is_batched: bool
) -> None:
    expire_all(range(SEEDS, SOAK_SEEDS), ordering, coalesces=coalesces, is_batched=is_batched)


def counts_at_once(self: Feed, sequence: int) -> int:
    """A wrong `expire`: it counts what the position has not passed yet."""
    expired = sequence - self.read_up_to
    self.counts["expired"] += expired
    self.read_up_to = sequence
    return expired


def counts_heads_alone(
    self: Feed, lane: ParkedLane, outcome: Counted, following: Following, now_ms: int, events: int = 1
) -> None:
    """A wrong `advance_lane`: what is gone behind the head is not counted."""
    right_advance(self, lane, outcome, following._replace(expired=0), now_ms, events)


@pytest.mark.parametrize(
    ("ordering", "rule", "wrong"),
    [("key", "expire", counts_at_once), ("bucket", "advance_lane", counts_heads_alone)],
)
def test_the_simulation_notices_a_wrong_count(
    monkeypatch: pytest.MonkeyPatch, ordering: Ordering, rule: str, wrong: object
) -> None:
    monkeypatch.setattr(Feed, rule, wrong)
    with pytest.raises(AssertionError):
        expire_all(range(50), ordering)


def never_mind_the_kind(later: Event, earlier: Event) -> bool:
    """A wrong rule: that an upload completed is forgotten for any later change."""
    return later.key == earlier.key


def test_the_simulation_notices_a_wrong_coalescing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elasticlake.delivery.feed.supersedes", never_mind_the_kind)
    with pytest.raises(AssertionError):
        coalesce_all(range(50))


def test_a_lane_that_ended_ahead_of_the_log_is_not_sent_again() -> None:
    """After a crash a lane's head may lie beyond the position: it is attempted before the log is read up to it."""
    lanes = [Lane(WEBHOOK, BUCKET, b"a", 3, 1, 0, "key")]
    feed = Feed.resume(Position(WEBHOOK, BUCKET, 1), lanes, "key", Selection(frozenset(TYPES)), Budget())
    feed.advance_lane(feed.lanes[b"a"], "dead", Following(), 0)
    feed.add([make_event(number, b"a", "object:created") for number in (2, 3, 4)])
    assert [event.sequence for event in feed.ready] == [4]
    assert feed.position == 3


def forgets_what_is_queued(self: Feed, event: Event, attempts: int, next_attempt_at_ms: int) -> ParkedLane:
    """A wrong `park`: what is queued behind the failed event is sent without waiting."""
    lane = self.lane_of(event)
    queue = self._queues.pop(lane)
    queue.popleft()
    self._mark(event.sequence)
    self.lanes[lane] = ParkedLane(lane, event.sequence, attempts, next_attempt_at_ms)
    if queue:
        self._queues[lane] = deque(queue)
        self.ready.append(queue[0])
    return self.lanes[lane]


def loses_the_lane(self: Feed, event: Event, attempts: int, next_attempt_at_ms: int) -> ParkedLane:
    """A wrong `park`: the lane is not remembered, so later events pass it by."""
    parked = ParkedLane(self.lane_of(event), event.sequence, attempts, next_attempt_at_ms)
    for queued in self._queues.pop(parked.key):
        self._mark(queued.sequence)
    return parked


def sends_the_next_at_once(self: Feed, events: list[Event]) -> None:
    """A wrong `add`: events of one lane do not wait for each other."""
    for event in events:
        self.read_up_to = event.sequence
        if not self.selection.selects(event) or self.lane_of(event) in self.lanes:
            self._pass(event.sequence)
            continue
        self._append(event.sequence)
        self._queues.setdefault(self.lane_of(event), deque()).append(event)
        self.ready.append(event)


right_advance = Feed.advance_lane


def forgets_what_follows(
    self: Feed, lane: ParkedLane, outcome: Counted, following: Following, now_ms: int, events: int = 1
) -> None:
    """A wrong `advance_lane`: what waited behind the head is not sent."""
    right_advance(self, lane, outcome, Following(), now_ms, events)


def counts_what_is_under_way(self: Feed) -> int:
    """A wrong `position`: it passes what has been read, settled or not."""
    return self.read_up_to


def reads_without_end(self: Feed) -> bool:
    """A wrong `may_read`: memory holds the backlog."""
    return True


def stores_no_lanes(self: Feed, lane: ParkedLane) -> Lane:
    """A wrong `lane_row`: attempts begin anew after a crash, from another head."""
    return Lane(self.webhook_id, self.bucket_id, lane.key, lane.head_sequence + 1, 0, 0, self.ordering)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("park", forgets_what_is_queued),
        ("park", loses_the_lane),
        ("add", sends_the_next_at_once),
        ("advance_lane", forgets_what_follows),
        ("position", property(counts_what_is_under_way)),
        ("may_read", property(reads_without_end)),
        ("lane_row", stores_no_lanes),
    ],
)
def test_the_simulation_notices_a_wrong_rule(monkeypatch: pytest.MonkeyPatch, rule: str, wrong: object) -> None:
    monkeypatch.setattr(Feed, rule, wrong)
    with pytest.raises(AssertionError):
        deliver_all(range(50), "key")


def composes_anew(self: Feed) -> Event | None:
    """A wrong `take`: a batch that was not sent after all takes in what has come since."""
    if not self.ready:
        return None
    event = self.ready.popleft()
    assert self.batching is not None
    self.batches[event.sequence] = self.batching.fill(event, self._behind(event))
    return event


def test_the_simulation_notices_a_batch_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feed, "take", composes_anew)
    with pytest.raises(AssertionError):
        batch_all(range(SEEDS))
