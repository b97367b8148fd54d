"""A webhook whose order was changed: its lanes mean something else now, so what they hold is read again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from elasticlake.metadata.deliveries import Lane, Position


def back_to_lanes(position: Position, lanes: Collection[Lane], first_sequence: int) -> Position:
    """Before the first event that the lanes hold, of those that the log has from `first_sequence` on. What it has no
    more is counted as expired here, as far as the position has passed it: nobody will pass it again.

    A lane may be parked while an earlier event still waits in the window: the position is before both.
    """
    expired = sum(_expired(position, lane, first_sequence) for lane in lanes)
    earliest = max(min(lane.head_sequence for lane in lanes), first_sequence) - 1
    return replace(position, sequence=min(position.sequence, earliest), expired=position.expired + expired)


def _expired(position: Position, lane: Lane, first_sequence: int) -> int:
    """How many of the lane's events are gone for good: with `bucket` order all from its head on, else its head, since
    whose the others were nobody knows."""
    gone = max(0, min(position.sequence, first_sequence - 1) - lane.head_sequence + 1)
    return gone if lane.ordering == "bucket" else min(1, gone)
