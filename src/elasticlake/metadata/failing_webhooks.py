"""Webhooks that have not had one success since an attempt failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from elasticlake.metadata.chosen import rows_of
from elasticlake.metadata.database import Reader, Transaction


class FailingWebhook(NamedTuple):
    """A webhook as its definition's `revision` is fails since then; `is_notified`: those who asked were told."""

    webhook_id: str
    revision: int
    since_ms: int
    is_notified: bool
    last_error: str | None = None
    """What the last failed attempt ended with; None where an older version noted the failure."""


_COLUMNS = "SELECT webhook_id, revision, since_ms, is_notified, last_error FROM failing_webhooks "


def everyone(reader: Reader) -> list[FailingWebhook]:
    return [_failing(*row) for row in reader.rows(_COLUMNS)]


def of_webhooks(reader: Reader, webhook_ids: Sequence[str]) -> dict[str, FailingWebhook]:
    """Those of the webhooks that fail."""
    rows = rows_of(reader, _COLUMNS + "WHERE webhook_id IN ({webhooks})", webhook_ids)
    return {row[0]: _failing(*row) for row in rows}


def put(tx: Transaction, failing: FailingWebhook) -> None:
    tx.run(
        "INSERT INTO failing_webhooks (webhook_id, revision, since_ms, is_notified, last_error) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (webhook_id) DO UPDATE SET revision = excluded.revision, since_ms = excluded.since_ms,"
        " is_notified = excluded.is_notified, last_error = excluded.last_error",
        (failing.webhook_id, failing.revision, failing.since_ms, int(failing.is_notified), failing.last_error),
    )


def forget(tx: Transaction, webhook_id: str) -> None:
    """It had a success, or is no more."""
    tx.run("DELETE FROM failing_webhooks WHERE webhook_id = ?", (webhook_id,))


def _failing(webhook_id: str, revision: int, since_ms: int, is_notified: int, last_error: str | None) -> FailingWebhook:
    return FailingWebhook(webhook_id, revision, since_ms, bool(is_notified), last_error)
