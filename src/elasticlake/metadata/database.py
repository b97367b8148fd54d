"""What an engine offers: reads of a snapshot, and mutations that commit together in groups.

The rest of this package is plain synchronous functions over a `Reader` or a `Transaction`, with SQL in the engines'
common subset and `?` for parameters; an engine runs them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from elasticlake.record import record

T = TypeVar("T")
Value = str | bytes | int | float | None
Row = tuple[Any, ...]
Committed = dict[int, int]
"""The last sequence committed in each bucket, by the bucket's id."""


@record
class Touching:
    """What a mutation is going to touch. An engine with several writers locks the buckets of a whole group at once, in
    one order, and fetches the rest ahead in the same round trip; SQLite, with its one writer, needs none of it.

    A mutation that names a bucket or an upload has it to itself until the commit. One that names nothing relies on its
    statements alone.
    """

    bucket: str | None = None
    """The bucket's S3 name."""
    keys: tuple[bytes, ...] = ()
    """Keys of the bucket whose current versions it will ask for."""
    intents: tuple[str, ...] = ()
    """Blobs whose intents it will consume."""
    upload: str | None = None
    """The multipart upload that it changes or ends."""


ALONE = None
"""Instead of a `Touching`: the mutation checks and acts on what others may change (does the account still exist?), so
no other such mutation runs beside it, on any node."""


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

    def hold(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row] | None:
        """Lock the rows that `sql` yields until the commit, waiting for whoever holds them; what was read of them
        before counts no more. None where nobody else can write, and in a mere read."""
        ...

    def timeline(self) -> str:
        """Names the course of writes that this state came about by: another one says that an older state has taken over
        (a failover, a restore), and that what was read since may not be true any more."""
        ...

    def now_ms(self) -> int:
        """The database's clock, which all nodes share."""
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

    def new_id(self, table: str) -> int:
        """An id for a row of `table`, known before the row is sent."""
        ...

    def before_commit(self, name: str, action: Callable[[Transaction], None]) -> None:
        """Run `action` once, after the group's last mutation."""
        ...


class Database(Protocol):
    """A metadata engine."""

    def read(self, query: Callable[[Reader], T], *, loose: bool = False) -> Awaitable[T]:
        """Run `query` on the last committed state; raises `Unavailable` if the engine cannot be reached.

        A `loose` one is cheaper where a statement costs a round trip: each of its statements may see a later moment
        than the one before, and what `memo` holds may be a second old (what this node changed itself is never old).
        """
        ...

    def write(
        self, mutation: Callable[[Transaction], T], *, touching: Touching | None = ALONE, long: bool = False
    ) -> Awaitable[T]:
        """Run `mutation` and commit it, durably, together with others that wait; its own failure undoes itself alone.

        A `long` one (many rows) keeps neither the event loop nor the others of its group waiting.

        A mutation may run more than once before it commits, so it changes nothing but rows. `Unavailable` says that
        the engine could not be reached, and that nothing changed; `OutcomeUnknown`, which is one too, that it was lost
        before it said whether the commit succeeded.
        """
        ...

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener`, on the event loop, after each group that changed a bucket's log."""
        ...

    def observe(self, observer: Callable[[int, float], None]) -> None:
        """Tell `observer` of each group that was committed: how many mutations, and the seconds that it took."""
        ...

    async def close(self) -> None:
        """Commit what waits, then let go of the files or connections."""
        ...
