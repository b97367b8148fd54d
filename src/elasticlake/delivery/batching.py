"""Batches: several events of a bucket in one request, composed once, acknowledged as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from elasticlake.model.events import Event

MAX_BATCH_BYTES = 1024 * 1024
_BRACKETS_BYTES = 2
_COMMA_BYTES = 1


@dataclass(frozen=True, slots=True)
class Batching:
    """How a webhook's batches are composed; `weigh` gives the bytes that an event takes in the body."""

    max_events: int
    max_wait_ms: int
    weigh: Callable[[Event], int]

    def fill(self, head: Event, rest: Iterable[Event]) -> tuple[Event, ...]:
        """Those of the `rest` that go with the head, in sequence."""
        also: list[Event] = []
        size_bytes = _BRACKETS_BYTES + self.weigh(head)
        for event in rest:
            size_bytes += _COMMA_BYTES + self.weigh(event)
            if len(also) + 1 >= self.max_events or size_bytes > MAX_BATCH_BYTES:
                break
            also.append(event)
        return tuple(also)

    def wait_ms(self, head: Event, waiting: int, now_ms: int) -> int:
        """How long the batch that the head begins, with so many waiting in all, waits for more."""
        if waiting >= self.max_events:
            return 0
        # The event's time is a gateway's, whose clock may be ahead.
        return max(0, min(self.max_wait_ms, head.time_ms + self.max_wait_ms - now_ms))
