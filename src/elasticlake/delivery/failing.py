"""Webhooks that fail without one success: their owners are told after a day, and after five they are disabled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.ledger import Ledger
from elasticlake.metadata import failing_webhooks
from elasticlake.metadata.failing_webhooks import FailingWebhook
from elasticlake.model.webhooks import Webhook

NOTIFY_AFTER_MS = 86_400_000
DISABLE_AFTER_MS = 5 * 86_400_000

Consequence = Literal["notify", "disable"]

_log = structlog.get_logger("delivery")


class Failing:
    """What is known of the webhooks that this dispatcher sends for."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._known: dict[str, FailingWebhook] = {}

    def learn(self, known: list[FailingWebhook]) -> None:
        """What earlier dispatchers found; what we found since is newer."""
        self._known = {failing.webhook_id: failing for failing in known} | self._known

    def forget(self, webhook_id: str) -> None:
        """The webhook is another dispatcher's, or deleted."""
        self._known.pop(webhook_id, None)

    def succeeded(self, webhook: Webhook) -> None:
        """It had a success."""
        if self._known.pop(webhook.id, None) is None:
            return
        _log.info("webhook recovered", webhook=webhook.id)
        self._store(webhook.id, lambda tx: failing_webhooks.forget(tx, webhook.id))

    def failed(self, webhook: Webhook, error: str | None) -> Consequence | None:
        """An attempt failed; what follows for the webhook."""
        now_ms = self._clock.now_ms()
        failing = self._known.get(webhook.id)
        if failing is None or failing.revision != webhook.revision:
            # A changed definition may be what mends it.
            _log.warning("webhook failing", webhook=webhook.id, error=error)
            self._remember(FailingWebhook(webhook.id, webhook.revision, now_ms, False, error))
            return None
        if error != failing.last_error:
            failing = failing._replace(last_error=error)
            self._remember(failing)
        if now_ms - failing.since_ms >= DISABLE_AFTER_MS:
            return "disable"
        if now_ms - failing.since_ms >= NOTIFY_AFTER_MS and not failing.is_notified:
            self._remember(failing._replace(is_notified=True))
            return "notify"
        return None

    def since_ms(self, webhook_id: str) -> int | None:
        """Since when it fails; None if it does not."""
        failing = self._known.get(webhook_id)
        return None if failing is None else failing.since_ms

    def _remember(self, failing: FailingWebhook) -> None:
        self._known[failing.webhook_id] = failing
        self._store(failing.webhook_id, lambda tx: failing_webhooks.put(tx, failing))

    def _store(self, webhook_id: str, write: Callable[..., None]) -> None:
        self._ledger.store(webhook_id, ("failing", webhook_id), write)
