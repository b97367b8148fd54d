"""How webhooks stand: how their deliveries have ended, what waits and since when, since when they fail and why, whether
they are left alone, what their expressions could not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from elasticlake.metadata import breakers, deliveries, failing_webhooks, webhooks, where_errors
from elasticlake.metadata.breakers import OpenBreaker
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.deliveries import COUNTED, Counted, Parked, Position
from elasticlake.metadata.failing_webhooks import FailingWebhook
from elasticlake.metadata.where_errors import WhereErrors
from elasticlake.model.webhooks import Webhook
from elasticlake.service.backlog import FirstWaiting, backlog, first_times

Owned = TypeVar("Owned", Position, Parked)

# All else has its turn between two reads of so many.
_WEBHOOKS_AT_ONCE = 50
_TIMES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """As of one moment. `retrying` deliveries wait for another attempt."""

    counts: dict[Counted, int]
    retrying: int
    backlog: int
    """How many events lie beyond its positions, those it does not subscribe to included."""
    oldest_undelivered_ms: int | None
    """When the first event happened that has not arrived; None where nothing waits."""
    failing_since_ms: int | None
    """Since when no attempt of the webhook as it is now has succeeded; None where none has failed since one did."""
    last_error: str | None
    """With what the last attempt failed, where it fails."""
    breaker: OpenBreaker | None
    """None where it is closed."""
    where_errors: WhereErrors | None
    """For which events its expression had no answer since it was last changed; None if for each."""

    @property
    def waiting(self) -> int:
        """All that is canceled when the webhook goes."""
        return self.backlog + self.retrying


class Standings:
    """Reads how webhooks stand: of many in a few queries."""

    def __init__(self, core: Database, delivery: Database) -> None:
        self._core = core
        self._delivery = delivery

    async def of(self, wanted: Sequence[Webhook]) -> dict[str, Standing]:
        """Each webhook's, by its id."""
        found: dict[str, Standing] = {}
        for start in range(0, len(wanted), _WEBHOOKS_AT_ONCE):
            found |= await self._some(wanted[start : start + _WEBHOOKS_AT_ONCE])
        return found

    async def _some(self, wanted: Sequence[Webhook]) -> dict[str, Standing]:
        ids = [webhook.id for webhook in wanted]
        # Before the logs, which only grow: what a position has passed is in them.
        known = await self._delivery.read(lambda reader: _known(reader, ids))
        logs = await self._core.read(lambda reader: webhooks.listened_logs(reader, ids))
        waits = backlog(logs, chain(*known.positions.values()), chain(*known.parked.values()))
        oldest = await self._oldest(waits.first)
        return {
            webhook.id: known.standing(webhook, waits.events.get(webhook.id, 0), oldest.get(webhook.id))
            for webhook in wanted
        }

    async def _oldest(self, waiting: Sequence[FirstWaiting]) -> dict[str, int]:
        """When the oldest of what waits for each webhook happened."""
        oldest: dict[str, int] = {}
        for start in range(0, len(waiting), _TIMES_AT_ONCE):
            some = waiting[start : start + _TIMES_AT_ONCE]
            for one, time_ms in await self._core.read(lambda reader: first_times(reader, some)):  # noqa: B023
                oldest[one.webhook_id] = min(time_ms, oldest.get(one.webhook_id, time_ms))
            await asyncio.sleep(0)
        return oldest


@dataclass(frozen=True, slots=True)
class _Known:
    """What the dispatcher's database knows of some webhooks."""

    positions: dict[str, list[Position]]
    parked: dict[str, list[Parked]]
    failing: dict[str, FailingWebhook]
    breakers: dict[str, OpenBreaker]
    where_errors: dict[str, WhereErrors]

    def standing(self, webhook: Webhook, backlog: int, oldest_ms: int | None) -> Standing:
        positions, parked = self.positions.get(webhook.id, ()), self.parked.get(webhook.id, ())
        failing, errors = self.failing.get(webhook.id), self.where_errors.get(webhook.id)
        is_failing = failing is not None and failing.revision == webhook.revision
        has_errors = errors is not None and errors.revision == webhook.revision and webhook.rules.where is not None
        return Standing(
            counts={outcome: sum(getattr(position, outcome) for position in positions) for outcome in COUNTED},
            retrying=sum(one.lanes + one.requested for one in parked),
            backlog=backlog,
            oldest_undelivered_ms=oldest_ms,
            failing_since_ms=failing.since_ms if failing is not None and is_failing else None,
            last_error=failing.last_error if failing is not None and is_failing else None,
            breaker=self.breakers.get(webhook.id) if webhook.status == "enabled" else None,
            where_errors=errors if has_errors else None,
        )


def _known(reader: Reader, webhook_ids: Sequence[str]) -> _Known:
    return _Known(
        _by_webhook(deliveries.positions_of(reader, webhook_ids)),
        _by_webhook(deliveries.parked(reader, webhook_ids)),
        failing_webhooks.of_webhooks(reader, webhook_ids),
        breakers.of_webhooks(reader, webhook_ids),
        where_errors.of_webhooks(reader, webhook_ids),
    )


def _by_webhook(rows: Iterable[Owned]) -> dict[str, list[Owned]]:
    found: dict[str, list[Owned]] = {}
    for row in rows:
        found.setdefault(row.webhook_id, []).append(row)
    return found
