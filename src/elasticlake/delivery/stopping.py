"""Webhooks that are disabled by nobody's wish, and those who asked to be told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.announcements import Announcements
from elasticlake.delivery.failing import DISABLE_AFTER_MS, Failing
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.lookout import Lookout
from elasticlake.metadata import webhooks
from elasticlake.metadata.database import Database, Transaction
from elasticlake.model.accounts import SYSTEM
from elasticlake.model.webhooks import Webhook
from elasticlake.service.activity import note
from elasticlake.service.webhook_activity import done

_log = structlog.get_logger("delivery")


async def disable(core: Database, webhook: Webhook, reason: str, now_ms: int) -> bool:
    """Disable the webhook for a reason that its owner will read, unless it has been changed since that reason arose, or
    is disabled already; whether it was done."""

    def mutation(tx: Transaction) -> bool:
        stored = webhooks.get(tx, webhook.id)
        if stored is None or stored.webhook.revision != webhook.revision or stored.webhook.status != "enabled":
            return False
        disabled = replace(stored.webhook, status="disabled", disabled_reason=reason, updated_at_ms=now_ms)
        webhooks.put(tx, stored._replace(webhook=disabled))
        note(tx, SYSTEM, now_ms, done("webhook:disabled", disabled, reason=reason))
        return True

    return await core.write(mutation)


class Stopping:
    """Disables webhooks by `disable`, and sees to what follows."""

    def __init__(
        self,
        disable: Callable[[Webhook, str], Awaitable[bool]],
        announcements: Announcements,
        failing: Failing,
        lookout: Lookout,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._disable = disable
        self._announcements = announcements
        self._failing = failing
        self._lookout = lookout
        self._ledger = ledger
        self._clock = clock
        self._announcing: set[asyncio.Task[None]] = set()

    async def stop(self, webhook: Webhook, reason: str) -> None:
        """Disable the webhook as it was then: one that its owner has changed meanwhile is another matter."""
        try:
            await self._ledger.flush()
            if await self._disable(webhook, reason):
                _log.warning("webhook disabled", webhook=webhook.id, reason=reason)
                await self._announcements.disabled(webhook, reason)
        except Exception as error:
            _log.error("could not disable webhook", webhook=webhook.id, reason=reason, exc_info=error)
            self._lookout.go_on(webhook)
        self._lookout.look_soon()

    def warn(self, webhook: Webhook) -> None:
        """Tell those who asked that it will be disabled unless it recovers."""
        since_ms = self._failing.since_ms(webhook.id) or self._clock.now_ms()
        told = self._announcements.failing(webhook, since_ms, since_ms + DISABLE_AFTER_MS)
        task = asyncio.ensure_future(told)
        self._announcing.add(task)
        task.add_done_callback(self._announcing.discard)
