"""A `Transaction` that a group of mutations shares: changes gather here and travel with the next read or the commit.

So a mutation that reads nothing after its first change costs no round trip of its own, and undoing it is forgetting
what gathered. One that has sent changes already is undone by a savepoint, which is set only then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from elasticlake.metadata.database import Committed, Row, Transaction, Value
from elasticlake.metadata.postgres.encoding import Encoded, Parameter, encoded
from elasticlake.metadata.postgres.greens import wait
from elasticlake.metadata.postgres.link import NOT_EXECUTED, Link, Reply, StatementFailed
from elasticlake.metadata.postgres.readers import NOW_MS, TIMELINE

_FOR_UPDATE = " FOR UPDATE"
_IDS = {"inline_bodies": "SELECT nextval('inline_body_ids')"}
IDS_PER_FETCH = 64
"""The sequences' increment: each value fetched stands for so many ids."""
Statement = tuple[str, Sequence[Parameter]]
_Change = tuple[str, Encoded]
_NOTHING: Encoded = ([], [])
_SAVEPOINT = "SAVEPOINT mutation"
LONG_CHANGES = 200
"""After so many changes a long mutation lets others have the event loop."""


class PostgresTransaction:
    """A transaction on one link, from `begin` to `commit`."""

    def __init__(self, link: Link, ids: dict[str, list[int]], *, long: bool = False) -> None:
        self.link = link
        self._long = long
        self.is_committing = False
        """Whether COMMIT was sent: from then on a lost link leaves the outcome unknown."""
        self._ids = ids
        self._queue: list[_Change] = []
        self._mark = 0
        self._has_savepoint = False
        self._actions: dict[str, Callable[[Transaction], None]] = {}
        self.memo: dict[Any, Any] = {}
        self.committed: Committed = {}
        self.changes = 0

    # What mutations use.

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self.exchange([(sql, parameters)])[0].rows()

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def hold(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        return self.rows(sql + _FOR_UPDATE, parameters)

    def timeline(self) -> str:
        return str(self.rows(TIMELINE)[0][0])

    def now_ms(self) -> int:
        return int(self.rows(NOW_MS)[0][0])

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        self.changes += 1
        self._queue.append((sql, encoded(parameters)))
        if self._long and len(self._queue) > LONG_CHANGES:
            self.exchange([])

    def changing(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        self.changes += 1
        encoded(parameters)  # what cannot be sent leaves the transaction as it was
        if not self._has_savepoint:
            self._set_savepoint()
        return self.rows(sql, parameters)

    def new_id(self, table: str) -> int:
        ids = self._ids.setdefault(table, [])
        if not ids:
            self.take_ids(table, self.exchange([(_IDS[table], ())])[0])
        return ids.pop()

    def before_commit(self, name: str, action: Callable[[Transaction], None]) -> None:
        self._actions[name] = action

    # What the group uses.

    def exchange(self, queries: Sequence[Statement]) -> list[Reply]:
        """Send what gathered and then `queries`, in one round trip; raises `StatementFailed` if one failed."""
        asked = [(sql, encoded(parameters)) for sql, parameters in queries]
        if len(self._queue) > self._mark and not self._has_savepoint:
            self._set_savepoint()
        queued, self._queue, self._mark = self._queue, [], 0
        replies = [self.link.send_encoded(*change) for change in (*queued, *asked)]
        wait(self.link.sync())
        require_success(replies)
        return replies[len(queued) :]

    def begin_mutation(self) -> None:
        """What follows may be undone."""
        if self._has_savepoint:
            self._queue.append(("RELEASE SAVEPOINT mutation", _NOTHING))
            self._has_savepoint = False
        self._mark = len(self._queue)

    def undo_mutation(self) -> None:
        """Undo what was changed since `begin_mutation`."""
        unsent = self._queue[self._mark :]
        del self._queue[self._mark :]
        if (_SAVEPOINT, _NOTHING) in unsent:
            self._has_savepoint = False
        elif self._has_savepoint:
            self._queue.append(("ROLLBACK TO SAVEPOINT mutation", _NOTHING))

    def commit(self) -> None:
        """Send the rest and commit, in one round trip; raises `StatementFailed` if nothing was committed, `LinkLost` if
        that is not known."""
        for action in self._actions.values():
            action(self)
        queued, self._queue = self._queue, []
        replies = [self.link.send_encoded(*change) for change in queued]
        self.is_committing = True
        replies.append(self.link.send("COMMIT"))
        wait(self.link.sync())
        require_success(replies)
        if replies[-1].command != b"COMMIT":
            raise StatementFailed("40000", "the transaction was rolled back")

    def roll_back(self) -> None:
        """Undo everything. Nobody waits for that: the link's next use comes after it."""
        if not self.link.lost:
            self.link.send("ROLLBACK")
            self.link.end_unit()

    def take_ids(self, table: str, reply: Reply) -> None:
        """Ids to give out, from a sequence that was asked for them."""
        (last,) = reply.rows()[0]
        # The greatest first, so that `pop` gives them out in ascending order.
        self._ids.setdefault(table, []).extend(range(last + IDS_PER_FETCH - 1, last - 1, -1))

    def _set_savepoint(self) -> None:
        self._queue.insert(self._mark, (_SAVEPOINT, _NOTHING))
        self._has_savepoint = True


def require_success(replies: Sequence[Reply]) -> None:
    """Raises the first failure among them."""
    for reply in replies:
        failure = reply.failure
        if failure is not None and failure.code != NOT_EXECUTED:
            raise failure
    if replies and replies[-1].failure is not None:
        raise StatementFailed("40000", "the transaction is no more")
