"""How much of everything there is, from totals that are kept: objects are never counted."""

from __future__ import annotations

from typing import NamedTuple

from elasticlake.metadata.database import Reader
from elasticlake.model.webhooks import WebhookStatus


class Totals(NamedTuple):
    """Of the whole installation; `accounts` are those that were made, so without root."""

    accounts: int
    buckets: int
    objects: int
    size_bytes: int


_TOTALS = """
SELECT (SELECT count(*) FROM accounts), count(*), CAST(coalesce(sum(objects), 0) AS BIGINT),
       CAST(coalesce(sum(size_bytes), 0) AS BIGINT)
FROM buckets WHERE deleted_at_ms IS NULL
"""
_WEBHOOKS = "SELECT status, count(*) FROM webhooks GROUP BY status ORDER BY status"


def totals(reader: Reader) -> Totals:
    row = reader.row(_TOTALS)
    return Totals(*row) if row else Totals(0, 0, 0, 0)


def webhooks_by_status(reader: Reader) -> dict[WebhookStatus, int]:
    return {row[0]: row[1] for row in reader.rows(_WEBHOOKS)}
