"""The database that everything is moved to: empty, or with the beginning of the same move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic, sleep

from elasticlake.metadata.moved_tables import CORE, DELIVERY
from elasticlake.metadata.postgres.blocking import connect, told
from elasticlake.metadata.postgres.migrations import has_newest, require_newest
from elasticlake.metadata.postgres.transfer import Transfer
from elasticlake.server.migration.faults import MoveRefused

# A killed move's session ends as soon as PostgreSQL notices.
_PATIENCE_SECONDS = 10.0


@contextmanager
def open_target(url: str) -> Iterator[Transfer]:
    """The target with the newest schema, kept from other moves while the block runs.

    Raises `MoveRefused`, `SchemaTooNew` and `SchemaTooOld`, and `Unavailable` for whatever the block runs into.
    """
    with closing(connect(url)) as connection, told("the target database failed"):
        transfer = Transfer(connection)
        _require_ours(transfer)
        if not has_newest(connection):
            _require_no_strangers(transfer)
        require_newest(connection)
        yield transfer


def begin(transfer: Transfer, source: str) -> str | None:
    """Begin the move of that source, or go on with it; returns the summary if it has ended already.

    Raises `MoveRefused` if the target holds anything else.
    """
    noted = transfer.source()
    if noted is None:
        _require_empty(transfer)
        transfer.begin(source)
        return None
    if noted[0] != source:
        raise MoveRefused(
            "the target holds what was moved from another folder, or from this one before it changed: give an empty "
            "database"
        )
    return noted[1]


def _require_ours(transfer: Transfer) -> None:
    give_up_at = monotonic() + _PATIENCE_SECONDS
    while not transfer.is_ours():
        if monotonic() > give_up_at:
            raise MoveRefused("another elasticlake migrate-data writes to the target")
        sleep(0.1)


def _require_no_strangers(transfer: Transfer) -> None:
    strangers = transfer.strangers()
    if strangers:
        raise MoveRefused(f"the target has tables of something else ({', '.join(strangers)}): give an empty database")


def _require_empty(transfer: Transfer) -> None:
    filled = transfer.first_filled((*CORE, *DELIVERY))
    if filled is not None:
        raise MoveRefused(f"the target holds data of another ElasticLake (in {filled}): give an empty database")
