"""From CSV to Parquet."""

from __future__ import annotations

from pathlib import Path

import duckdb

MEMORY = "512MB"


class Unreadable(Exception):
    """It is no CSV, or not one for this machine; `str(error)` says why."""


def to_parquet(csv: Path, parquet: Path) -> int:
    """Write the rows of a CSV with a header, and return how many there are. It streams: memory is bounded, whatever
    the size. Raises `Unreadable`, also for rows or columns that do not fit into it: so it would be the next time.
    `duckdb.OperationalError` where the disk fails."""
    into = str(parquet).replace("'", "''")  # this name cannot be a parameter
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(parquet.parent)}) as engine:
        try:
            copied = engine.execute(
                f"COPY (FROM read_csv(?, header = true)) TO '{into}' (FORMAT parquet, COMPRESSION zstd)", [str(csv)]
            ).fetchone()
        except (duckdb.DataError, duckdb.ProgrammingError, duckdb.OutOfMemoryException) as error:
            raise Unreadable(str(error).split("\n", 1)[0].replace(str(csv), "the CSV")) from error
    assert copied is not None
    return int(copied[0])
