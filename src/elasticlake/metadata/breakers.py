"""Circuit breakers that are not closed, for others than the dispatcher that has them in memory.

A row is true only while the dispatcher that wrote it owns the webhook, so what one that is no more left behind says
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from elasticlake.metadata.chosen import rows_of
from elasticlake.metadata.database import Reader, Transaction

NotClosed = Literal["open", "half_open"]


class OpenBreaker(NamedTuple):
    """A webhook's breaker; the next probe is at that time, or (None) under way."""

    webhook_id: str
    epoch: int
    state: NotClosed
    probe_at_ms: int | None


_OF_WEBHOOKS = """
SELECT b.webhook_id, b.epoch, b.state, b.probe_at_ms
FROM breakers b JOIN assignments a ON a.webhook_id = b.webhook_id AND a.epoch = b.epoch
WHERE b.webhook_id IN ({webhooks})
"""


def of_webhooks(reader: Reader, webhook_ids: Sequence[str]) -> dict[str, OpenBreaker]:
    """Those of the webhooks that are not closed."""
    return {row[0]: OpenBreaker(*row) for row in rows_of(reader, _OF_WEBHOOKS, webhook_ids)}


def put(tx: Transaction, breaker: OpenBreaker) -> None:
    tx.run(
        "INSERT INTO breakers (webhook_id, epoch, state, probe_at_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (webhook_id) DO UPDATE SET epoch = excluded.epoch, state = excluded.state,"
        " probe_at_ms = excluded.probe_at_ms",
        tuple(breaker),
    )


def forget(tx: Transaction, webhook_id: str) -> None:
    """It is closed."""
    tx.run("DELETE FROM breakers WHERE webhook_id = ?", (webhook_id,))


def forget_untrue(tx: Transaction) -> None:
    """Remove what dispatchers left behind that do not own the webhooks any more."""
    tx.run(
        "DELETE FROM breakers WHERE NOT EXISTS (SELECT 1 FROM assignments a"
        " WHERE a.webhook_id = breakers.webhook_id AND a.epoch = breakers.epoch)"
    )
