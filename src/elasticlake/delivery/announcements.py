"""Telling webhooks of other webhooks: those of an account that subscribed learn which of its others fail."""

from __future__ import annotations

from typing import Any

import structlog

from elasticlake.clock import Clock, rfc3339_seconds
from elasticlake.delivery.roster import Roster
from elasticlake.metadata import operational_events
from elasticlake.metadata.database import Database, Touching
from elasticlake.model.events import OperationalType
from elasticlake.model.ids import new_event_id
from elasticlake.model.webhooks import Webhook

_log = structlog.get_logger("delivery")


class Announcements:
    """Writes operational events, and a delivery to each subscriber; nothing depends on them."""

    def __init__(self, state: Database, roster: Roster, clock: Clock) -> None:
        self._state = state
        self._roster = roster
        self._clock = clock

    async def failing(self, webhook: Webhook, since_ms: int, disabled_at_ms: int) -> None:
        """It has failed for long, and will be disabled then."""
        times = {"failingSince": rfc3339_seconds(since_ms), "disabledAt": rfc3339_seconds(disabled_at_ms)}
        await self._announce("webhook:failing", webhook, times)

    async def disabled(self, webhook: Webhook, reason: str) -> None:
        """It was disabled, by nobody."""
        await self._announce("webhook:disabled", webhook, {"disabledReason": reason})

    async def _announce(self, event_type: OperationalType, webhook: Webhook, facts: dict[str, Any]) -> None:
        subscribers = [
            other.id
            for other in self._roster.webhooks
            if other.account_id == webhook.account_id
            and other.id != webhook.id
            and other.status == "enabled"
            and other.matches(event_type)
        ]
        if not subscribers:
            return
        scope = webhook.scope
        about = {"id": webhook.id, "name": webhook.name, "endpoint": webhook.endpoint, scope.kind: scope.name, **facts}
        now_ms = self._clock.now_ms()
        try:
            await self._state.write(
                lambda tx: operational_events.announce(
                    tx, new_event_id(now_ms), webhook.account_id, event_type, about, subscribers, now_ms
                ),
                touching=Touching(),
            )
        except Exception as error:
            _log.error("could not announce", event_type=event_type, webhook=webhook.id, exc_info=error)
