"""How far a feed goes back when its webhook's order has changed."""

from __future__ import annotations

import pytest

from elasticlake.delivery.reordering import back_to_lanes
from elasticlake.metadata.deliveries import Lane, Position
from elasticlake.model.webhooks import Ordering


def back(sequence: int, heads: tuple[int, ...], first: int, ordering: Ordering = "key") -> tuple[int, int]:
    """Where the position goes, and how many expired."""
    lanes = [Lane("wh_1", 7, b"%d" % head, head, 1, 0, ordering) for head in heads]
    position = back_to_lanes(Position("wh_1", 7, sequence, expired=100), lanes, first)
    return position.sequence, position.expired - 100


@pytest.mark.parametrize(
    ("sequence", "heads", "first", "ordering", "expected"),
    [
        (9, (4, 7), 1, "key", (3, 0)),
        (9, (4, 7), 5, "key", (4, 1)),
        (9, (4, 7), 8, "key", (7, 2)),
        (9, (4, 7), 20, "key", (9, 2)),
        # What is beyond the position is counted when that passes it.
        (2, (4, 7), 1, "key", (2, 0)),
        (2, (4, 7), 20, "key", (2, 0)),
        (5, (4, 7), 20, "none", (5, 1)),
        # One lane holds all from its head on.
        (9, (4,), 7, "bucket", (6, 3)),
        (9, (4,), 20, "bucket", (9, 6)),
        (9, (4,), 4, "bucket", (3, 0)),
    ],
)
def test_it_goes_back_to_the_first_event_that_is_left(
    sequence: int, heads: tuple[int, ...], first: int, ordering: Ordering, expected: tuple[int, int]
) -> None:
    assert back(sequence, heads, first, ordering) == expected
