"""Webhooks that have not had one success since an attempt failed."""

from __future__ import annotations

from typing import NamedTuple

from elasticlake.metadata.database import Reader, Transaction


class FailingWebhook(NamedTuple):
    """A webhook as its definition's `revision` is fails since then; `is_notified`: those who asked were told."""

    webhook_id: str
    revision: int
    since_ms: int
    is_notified: bool


_COLUMNS = "SELECT webhook_id, revision, since_ms, is_notified FROM failing_webhooks "


def everyone(reader: Reader) -> list[FailingWebhook]:
    return [_failing(*row) for row in reader.rows(_COLUMNS)]


def get(reader: Reader, webhook_id: str) -> FailingWebhook | None:
    row = reader.row(_COLUMNS + "WHERE webhook_id = ?", (webhook_id,))
    return _failing(*row) if row else None


def put(tx: Transaction, failing: FailingWebhook) -> None:
    tx.run(
        "INSERT INTO failing_webhooks (webhook_id, revision, since_ms, is_notified) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (webhook_id) DO UPDATE SET revision = excluded.revision, since_ms = excluded.since_ms,"
        " is_notified = excluded.is_notified",
        (failing.webhook_id, failing.revision, failing.since_ms, int(failing.is_notified)),
    )


def forget(tx: Transaction, webhook_id: str) -> None:
    """It had a success, or is no more."""
    tx.run("DELETE FROM failing_webhooks WHERE webhook_id = ?", (webhook_id,))


def _failing(webhook_id: str, revision: int, since_ms: int, is_notified: int) -> FailingWebhook:
    return FailingWebhook(webhook_id, revision, since_ms, bool(is_notified))
