"""Events for which a webhook's expression had no answer: counted here until the ledger has written them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from elasticlake.delivery.ledger import Ledger
from elasticlake.metadata import where_errors
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.where_errors import WhereErrors
from elasticlake.model.events import Event
from elasticlake.model.webhooks import Webhook


@dataclass(slots=True)
class _Pending:
    """What one write will add."""

    webhook_id: str
    revision: int
    errors: int = 0
    last_error: str = ""
    last_bucket: str = ""
    last_sequence: int = 0
    is_taken: bool = False

    def write(self, tx: Transaction) -> None:
        # From here on it may be committed, so that what comes later belongs to the next one.
        self.is_taken = True
        place = (self.last_bucket, self.last_sequence)
        where_errors.add(tx, WhereErrors(self.webhook_id, self.revision, self.errors, self.last_error, *place))


def count_failures(ledger: Ledger, webhook: Webhook) -> Callable[[Event, str], None]:
    """Takes each event that the webhook's expression failed for, and why."""
    pending: _Pending | None = None

    def failed(event: Event, reason: str) -> None:
        nonlocal pending
        if pending is None or pending.is_taken:
            pending = _Pending(webhook.id, webhook.revision)
            ledger.store(webhook.id, ("where", id(pending)), pending.write)
        pending.errors += 1
        pending.last_error, pending.last_bucket, pending.last_sequence = reason, event.bucket, event.sequence

    return failed
