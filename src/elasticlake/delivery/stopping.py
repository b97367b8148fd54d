"""Webhooks that are disabled by nobody's wish, and those who asked to be told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.announcements import Announcements
from elasticlake.delivery.failing import DISABLE_AFTER_MS, Failing
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.lookout import Lookout
from elasticlake.model.webhooks import Webhook

_log = structlog.get_logger("delivery")


class Stopping:
    """Disables webhooks by `disable`, for a reason that their owners will read."""

    def __init__(
        self,
        disable: Callable[[Webhook, str], Awaitable[None]],
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
            await self._disable(webhook, reason)
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
