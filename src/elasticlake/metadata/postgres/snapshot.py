"""The whole database as of one moment, for tools that take their time over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from elasticlake.metadata.postgres.blocking import BlockingReader, connect, told
from elasticlake.metadata.postgres.migrations import has_newest

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@contextmanager
def snapshot(conninfo: str) -> Iterator[BlockingReader | None]:
    """A reader that sees one moment while the block runs; None where there is no schema.

    Raises `SchemaTooNew`, `SchemaTooOld`, and `Unavailable` also for what the block's statements run into. While it is
    open, PostgreSQL keeps every row that was deleted meanwhile.
    """
    with closing(connect(conninfo)) as connection, told("the metadata database cannot be read"):
        connection.execute(_BEGIN)
        yield BlockingReader(connection) if has_newest(connection) else None
        connection.execute("COMMIT")
