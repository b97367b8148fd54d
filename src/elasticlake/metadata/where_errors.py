"""How often a webhook's expression had no answer for an event, which therefore did not match."""

from __future__ import annotations

from typing import NamedTuple

from elasticlake.metadata.database import Reader, Transaction


class WhereErrors(NamedTuple):
    """So many for the webhook as its definition's `revision` is, and the last of them."""

    webhook_id: str
    revision: int
    errors: int
    last_error: str
    last_bucket: str
    last_sequence: int


def get(reader: Reader, webhook_id: str, revision: int) -> WhereErrors | None:
    """Those of the webhook as it is defined now; None if there was none."""
    sql = """
    SELECT webhook_id, revision, errors, last_error, last_bucket, last_sequence FROM where_errors
    WHERE webhook_id = ? AND revision = ?
    """
    row = reader.row(sql, (webhook_id, revision))
    return WhereErrors(*row) if row else None


def add(tx: Transaction, more: WhereErrors) -> None:
    """Count more of them; those of an older definition are forgotten."""
    tx.run(
        "INSERT INTO where_errors (webhook_id, revision, errors, last_error, last_bucket, last_sequence)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (webhook_id) DO UPDATE SET"
        " errors = excluded.errors"
        " + CASE WHEN where_errors.revision = excluded.revision THEN where_errors.errors ELSE 0 END,"
        " revision = excluded.revision, last_error = excluded.last_error, last_bucket = excluded.last_bucket,"
        " last_sequence = excluded.last_sequence",
        tuple(more),
    )
