"""The index: SQLite's full text search, and for each object how far it has come."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    id INTEGER NOT NULL PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,  -- of the last event that told of the object; kept when it is deleted
    UNIQUE (bucket, key)
);
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2');
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """An object that has all the words, and where."""

    bucket: str
    key: str
    excerpt: str


def put(bucket: str, key: str, sequence: int, text: str | None) -> None:
    """The object has this text since this event, or is gone (None).

    What is older than what is known is ignored. What is just as old is not: a replay puts right what the handler did
    wrong before, and a duplicate changes nothing.
    """
    with _transaction() as database:
        found = database.execute(
            "INSERT INTO objects (bucket, key, sequence) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
            " SET sequence = excluded.sequence WHERE excluded.sequence >= sequence RETURNING id",
            (bucket, key, sequence),
        ).fetchone()
        if found is not None:
            database.execute("DELETE FROM texts WHERE rowid = ?", found)
            if text is not None:
                database.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (*found, text))


def search(words: str, limit: int = 20) -> list[Hit]:
    """The objects that have all the words, the best first."""
    # No syntax of FTS5, for which a NUL ends the text.
    quoted = " ".join('"{}"'.format(word.replace('"', '""')) for word in words.replace("\0", " ").split())
    with _transaction() as database:
        found = database.execute(
            "SELECT bucket, key, snippet(texts, 0, '', '', ' … ', 12) FROM texts JOIN objects ON id = texts.rowid"
            " WHERE texts MATCH ? ORDER BY rank LIMIT ?",
            (quoted or '""', limit),
        )
        return [Hit(*row) for row in found]


@contextmanager
def _transaction() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(os.environ.get("SEARCH_INDEX", "data/index.db"), timeout=10)) as database, database:
        database.executescript(_SCHEMA)
        yield database
