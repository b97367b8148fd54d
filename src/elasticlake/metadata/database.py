"""What an engine offers: reads of a snapshot, and mutations that commit together in groups.

The rest of this package is plain synchronous functions over a `Reader` or a `Transaction`, with SQL in the engines'
common subset and `?` for parameters; an engine runs them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Value = str | bytes | int | float | None
Row = tuple[Any, ...]
Committed = dict[int, int]
"""The last sequence committed in each bucket, by the bucket's id."""


class Reader(Protocol):
    """One consistent view of the rows.

    `memo` holds values that the queries of one view hand on to each other (a bucket's row).
    """

    memo: dict[Any, Any]

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Every row that `sql` yields."""
        ...

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row that `sql` yields."""
        ...


class Transaction(Reader, Protocol):
    """A transaction that several mutations share.

    Here `memo` carries a bucket's counters from one mutation of the group to the next; values in it are immutable, so
    that undoing a mutation is putting the old dictionary back. `before_commit` runs once for the group.
    """

    committed: Committed

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        """Execute a statement that changes something."""
        ...

    def changing(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Execute a statement that changes something and returns rows (`RETURNING`)."""
        ...

    def before_commit(self, name: str, action: Callable[[Transaction], None]) -> None:
        """Run `action` once, after the group's last mutation."""
        ...


class Database(Protocol):
    """A metadata engine."""

    def read(self, query: Callable[[Reader], T]) -> Awaitable[T]:
        """Run `query` on the last committed state."""
        ...

    def write(self, mutation: Callable[[Transaction], T], *, long: bool = False) -> Awaitable[T]:
        """Run `mutation` and commit it, durably, together with others that wait; its own failure undoes itself alone.

        A `long` one (many rows) keeps neither the event loop nor the others of its group waiting.

        A mutation may run more than once before it commits, so it changes nothing but rows.
        """
        ...

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener`, on the event loop, after each group that changed a bucket's log."""
        ...

    async def close(self) -> None:
        """Commit what waits, then let go of the files or connections."""
        ...
