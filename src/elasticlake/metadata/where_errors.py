"""How often a webhook's expression had no answer for an event, which therefore did not match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from elasticlake.metadata.chosen import rows_of
from elasticlake.metadata.database import Reader, Transaction


class WhereErrors(NamedTuple):
    """So many for the webhook as its definition's `revision` is, and the last of them."""

    webhook_id: str
    revision: int
    errors: int
    last_error: str
    last_bucket: str
    last_sequence: int


def of_webhooks(reader: Reader, webhook_ids: Sequence[str]) -> dict[str, WhereErrors]:
    """What there was of each of the webhooks that had any, perhaps before it was defined as it is now."""
    sql = """
    SELECT webhook_id, revision, errors, last_error, last_bucket, last_sequence FROM where_errors
    WHERE webhook_id IN ({webhooks})
    """
    return {row[0]: WhereErrors(*row) for row in rows_of(reader, sql, webhook_ids)}


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
