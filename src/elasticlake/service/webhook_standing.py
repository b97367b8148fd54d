"""How a webhook stands: how its deliveries have ended, what waits, since when it fails, what its expression could not
answer."""

from __future__ import annotations

from dataclasses import dataclass

from elasticlake.metadata import deliveries, failing_webhooks, where_errors
from elasticlake.metadata.database import Reader
from elasticlake.metadata.deliveries import COUNTED, Counted
from elasticlake.metadata.where_errors import WhereErrors
from elasticlake.model.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Standing:
    """As of one moment. `retrying` deliveries wait for another attempt."""

    counts: dict[Counted, int]
    retrying: int
    failing_since_ms: int | None
    """Since when no attempt of the webhook as it is now has succeeded; None where none has failed since one did."""
    where_errors: WhereErrors | None
    """For which events its expression had no answer since it was last changed; None if for each."""


def standing_of(reader: Reader, webhook: Webhook) -> Standing:
    """Read from the delivery database."""
    positions = deliveries.positions(reader, webhook.id)
    failing = failing_webhooks.get(reader, webhook.id)
    is_current = failing is not None and failing.revision == webhook.revision
    return Standing(
        {outcome: sum(getattr(position, outcome) for position in positions) for outcome in COUNTED},
        deliveries.count_parked(reader, webhook.id),
        failing.since_ms if failing is not None and is_current else None,
        None if webhook.rules.where is None else where_errors.get(reader, webhook.id, webhook.revision),
    )
