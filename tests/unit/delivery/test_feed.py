"""What a feed counts of a log that retention trims while lanes are ahead of the position."""

from __future__ import annotations

import pytest
from tests.simulation.receivers import BUCKET, TYPES, WEBHOOK, make_event

from elasticlake.delivery.coalescing import Following
from elasticlake.delivery.feed import Budget, Feed
from elasticlake.metadata.deliveries import Counted, Lane, Position
from elasticlake.model.webhooks import Ordering
from elasticlake.service.selection import Selection

A, B = b"a", b"b"


def feed_with(*lanes: Lane, ordering: Ordering = "key") -> Feed:
    selection = Selection(frozenset(TYPES))
    return Feed.resume(Position(WEBHOOK, BUCKET, 0), list(lanes), ordering, selection, Budget())


def read(feed: Feed, first: int, *keys: bytes) -> None:
    feed.add([make_event(first + number, key, TYPES[0]) for number, key in enumerate(keys)])


def parked(key: bytes, head_sequence: int) -> Lane:
    return Lane(WEBHOOK, BUCKET, key, head_sequence, 1, 0)


def end(feed: Feed, key: bytes, outcome: Counted, following: Following | None = None) -> None:
    feed.advance_lane(feed.lanes[key], outcome, following or Following(), 0)


def test_millions_that_are_gone_are_one_entry_of_the_window() -> None:
    feed = feed_with()
    read(feed, 1, A)
    assert feed.expire(5_000_000) == 4_999_999
    assert (feed.budget.used, feed.position, feed.counts["expired"]) == (2, 0, 0)
    feed.settle(feed.ready.popleft(), "delivered")
    assert (feed.budget.used, feed.position, feed.counts["expired"]) == (0, 5_000_000, 4_999_999)


@pytest.mark.parametrize("outcome", ["delivered", "dead", "canceled", "expired"])
@pytest.mark.parametrize("ends", ["before it is found gone", "while the position is before it", "at last"])
def test_a_head_that_is_gone_is_counted_once_whatever_it_ends_as_and_whenever(outcome: Counted, ends: str) -> None:
    feed = feed_with(parked(B, 3))
    read(feed, 1, A)
    if ends == "before it is found gone":
        end(feed, B, outcome)
    feed.expire(4)
    if ends == "while the position is before it":
        end(feed, B, outcome)
    feed.settle(feed.ready.popleft(), "delivered")
    if ends == "at last":
        end(feed, B, outcome)
    assert (feed.position, sum(feed.counts.values())) == (4, 4)
    assert feed.counts["expired"] == (3 if outcome == "expired" else 2)


def test_a_head_that_was_read_before_it_went_is_counted_when_the_position_passes_it() -> None:
    feed = feed_with()
    read(feed, 1, A, B)
    feed.park(feed.ready.pop(), 1, 0)
    end(feed, B, "expired")
    # Whoever goes on from position 0 finds both gone.
    assert feed.snapshot() == Position(WEBHOOK, BUCKET, 0)
    feed.settle(feed.ready.popleft(), "delivered")
    assert feed.snapshot() == Position(WEBHOOK, BUCKET, 2, delivered=1, expired=1)


def test_what_is_gone_behind_the_only_lane_is_counted_by_the_lane_alone() -> None:
    feed = feed_with(ordering="bucket")
    read(feed, 1, A, B)
    feed.expire(9)
    lane = feed.park(feed.ready.popleft(), 1, 0)
    # A reading that was under way when it was parked.
    feed.expire(12)
    assert (feed.position, feed.counts["expired"]) == (12, 0)
    feed.advance_lane(lane, "expired", Following(expired=11), 0)
    assert feed.snapshot() == Position(WEBHOOK, BUCKET, 12, expired=12)


def test_who_is_told_of_what_expires_is_told_of_each_once() -> None:
    told: list[int] = []
    feed = feed_with(parked(A, 1))
    feed.on_expired = told.append
    feed.expire(3)
    end(feed, A, "expired")
    assert (told, feed.counts["expired"]) == ([2, 1], 3)


def test_nothing_that_is_gone_outlives_what_its_owner_gave_up() -> None:
    feed = feed_with()
    read(feed, 1, A)
    feed.expire(5)
    feed.skip_to(7)
    assert feed.snapshot() == Position(WEBHOOK, BUCKET, 7, canceled=7)
    read(feed, 8, A)
    feed.settle(feed.ready.popleft(), "delivered")
    assert feed.snapshot() == Position(WEBHOOK, BUCKET, 8, canceled=7, delivered=1)
