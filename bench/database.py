"""A PostgreSQL beside the server under test: its caches and its log as docs/operations.md says, and no longer new.

A new one has next to no log files. Each that it makes is filled with zeros while commits wait, for tens of
milliseconds, until a checkpoint leaves files to write into again. It takes 2 GB of disk and some seconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from bench.processes import NotStarted

if TYPE_CHECKING:
    from tests.postgres import Postgres

LOG_FILE_MIB = 16
USED_LOG_MIB = 2048
"""What is written until the first checkpoint begins. It leaves files when it ends; whoever writes more makes some."""
SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "min_wal_size": f"{USED_LOG_MIB}MB",
    "checkpoint_timeout": "15min",
}
_FILL = f"SELECT pg_logical_emit_message(false, 'bench', repeat('.', {LOG_FILE_MIB << 20}))"


@contextmanager
def running_database(*, quick: bool = False) -> Iterator["Postgres"]:
    """A started server, stopped and removed at the end. A `quick` one is new. Raises NotStarted."""
    from tests.postgres import running_postgres

    with running_postgres(durable=True, **SETTINGS) as server:
        if not quick:
            _use(server.url)
        yield server


def _use(url: str) -> None:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(USED_LOG_MIB // LOG_FILE_MIB):
                connection.execute(_FILL)
            connection.execute("CHECKPOINT")
    except psycopg.Error as error:
        raise NotStarted(f"PostgreSQL cannot write its log: {error}") from error
