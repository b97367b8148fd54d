"""What retention took of a window: spans, however long each is one entry, to be counted when the position passes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Gone:
    """The spans beyond the position, by the window's entry that stands for each: its first sequence."""

    _ends: dict[int, int] = field(default_factory=dict)
    # Of their sequences, those that are counted already, as something else.
    _counted: set[int] = field(default_factory=set)

    def __contains__(self, sequence: int) -> bool:
        return any(first <= sequence <= last for first, last in self._ends.items())

    def add(self, first: int, last: int, counted: Iterable[int] = ()) -> None:
        """A span was found to be gone, of which these are counted already, if they are in it."""
        self._ends[first] = last
        self._counted.update(sequence for sequence in counted if first <= sequence <= last)

    def is_counted(self, sequence: int) -> None:
        """The event ended as something else than expired, though the log has it no more."""
        if sequence in self:
            self._counted.add(sequence)

    def passed(self, first: int, heads: Collection[int]) -> int:
        """The position passed the entry: of how many events that are gone, if it stands for any. Lanes that wait to
        send one of these (`heads`) count it when they end."""
        last = self._ends.pop(first, first - 1)
        counted = {sequence for sequence in self._counted if first <= sequence <= last}
        self._counted -= counted
        return last - first + 1 - len(counted) - sum(first <= head <= last for head in heads)

    def clear(self) -> None:
        self._ends.clear()
        self._counted.clear()
