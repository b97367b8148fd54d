"""Moments that are waited for: for each key one, the earliest that was asked for."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Alarms(Generic[Key]):
    """Times are a monotonic clock's seconds."""

    def __init__(self) -> None:
        self._at: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._entries = itertools.count()

    def set(self, key: Key, at: float) -> bool:
        """Wake the key then, unless it is to be woken earlier; whether that is news."""
        if at >= self._at.get(key, float("inf")):
            return False
        self._at[key] = at
        heapq.heappush(self._heap, (at, next(self._entries), key))
        return True

    def due(self, now: float) -> Iterator[Key]:
        """The keys whose moment has come, each once."""
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heapq.heappop(self._heap)
            if self._at.get(key) == at:
                del self._at[key]
                yield key

    @property
    def next_at(self) -> float:
        """The earliest moment; infinity if there is none."""
        return self._heap[0][0] if self._heap else float("inf")
