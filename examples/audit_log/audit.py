"""The audit log: one table of all events, each once, and what it proves."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from elasticlake.webhooks import Event

_SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    id TEXT NOT NULL UNIQUE,    -- the event's: it comes twice, and is kept once
    bucket TEXT NOT NULL,
    sequence INTEGER NOT NULL,  -- 1, 2, 3, ... in the bucket
    time TEXT NOT NULL,         -- of the change, in UTC
    action TEXT NOT NULL,
    key TEXT NOT NULL,
    principal TEXT,             -- the access key that did it
    event TEXT NOT NULL,        -- the whole payload, as JSON
    PRIMARY KEY (bucket, sequence)
)
"""


class Contradiction(Exception):
    """Something else is recorded in the event's place: the lake was restored from a backup, or the log was changed."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is recorded of one bucket."""

    bucket: str
    first: int
    last: int
    recorded: int

    @property
    def missing(self) -> int:
        """How many sequences between the first and the last are not recorded. Sequences have no gaps, so 0 says that
        nothing in between was lost, or taken out."""
        return self.last - self.first + 1 - self.recorded


def record(event: Event) -> bool:
    """Keep the event; False if it is kept already. When this returns it is on disk. Raises `Contradiction`."""
    assert event.object
    row = (
        *(event.id, event.bucket, event.sequence, event.time.isoformat(), event.type, event.object.key),
        *(event.principal, json.dumps(event.raw)),
    )
    with _database() as database:
        if database.execute(f"INSERT INTO audit VALUES ({_marks(row)}) ON CONFLICT DO NOTHING", row).rowcount == 1:
            return True
        # A replay with fresh ids repeats all but the id.
        same = "SELECT 1 FROM audit WHERE bucket = ? AND sequence = ? AND time = ? AND action = ? AND key = ?"
        if database.execute(same, row[1:6]).fetchone() is None:
            raise Contradiction(f"{event.bucket} {event.sequence} is recorded as another event than {event.id}.")
        return False


def entries(text: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The latest whose key contains the text, the newest first."""
    with _database() as database:
        database.row_factory = sqlite3.Row
        found = database.execute(
            "SELECT bucket, sequence, time, action, key, principal FROM audit"
            " WHERE instr(key, ?) > 0 ORDER BY rowid DESC LIMIT ?",
            (text, limit),
        )
        return [dict(row) for row in found]


def proofs() -> list[Proof]:
    """One for each bucket."""
    with _database() as database:
        found = database.execute("SELECT bucket, min(sequence), max(sequence), count(*) FROM audit GROUP BY bucket")
        return [Proof(*row) for row in found]


def ids(bucket: str) -> list[str]:
    """The events recorded of a bucket, in sequence."""
    with _database() as database:
        found = database.execute("SELECT id FROM audit WHERE bucket = ? ORDER BY sequence", (bucket,))
        return [str(row[0]) for row in found]


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """One transaction."""
    with closing(sqlite3.connect(os.environ.get("AUDIT_DATABASE", "data/audit.db"), timeout=10)) as database, database:
        database.execute(_SCHEMA)
        yield database


def _marks(row: Iterable[object]) -> str:
    return ", ".join("?" for _ in row)
