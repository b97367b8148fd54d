"""A consistent copy of a SQLite database that others write to meanwhile.

One snapshot is held from the first page to the last: without it SQLite begins anew after each commit of another
process, and under load never ends. Writers go on; only their write-ahead log is not emptied until the copy is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw

from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.sqlite import connect

STEP_PAGES = 1024


class CopyFailed(ElasticLakeError):
    """The database could not be copied, or the copy is damaged as its source is."""


def copy_database(source: Path, target: Path, progress: Callable[[int, int], None]) -> int:
    """Copy `source`, as it is now, to the new file `target`: durable, checked, its owner's alone; returns its size.

    `progress` is told how many pages of how many are copied. Raises `CopyFailed`, and `OSError` if `target` cannot be
    made.
    """
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _copy_pages(source, target, progress)
        _require_sound(target)
        os.fsync(handle)
        return os.fstat(handle).st_size
    except apsw.Error as error:
        raise CopyFailed(f"{source} cannot be copied: {error}") from error
    finally:
        os.close(handle)


def open_copy(path: Path) -> apsw.Connection:
    """A connection to read a copy with: nobody writes it, so it takes no lock and leaves no file beside it."""
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(f"{path.absolute().as_uri()}?immutable=1", flags=flags)


def _copy_pages(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    with closing(connect(source, readonly=True)) as reader, closing(apsw.Connection(str(target))) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchall()
        with writer.backup("main", reader, "main") as backup:
            while not backup.done:
                backup.step(STEP_PAGES)
                progress(backup.page_count - backup.remaining, backup.page_count)


def _require_sound(path: Path) -> None:
    with closing(open_copy(path)) as connection:
        findings = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    if findings != ["ok"]:
        raise CopyFailed(f"{path.name} is damaged: {findings[0]}")
