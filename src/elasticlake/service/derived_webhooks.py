"""Webhooks that are made from others: one for each entry of a bucket's S3 notification configuration.

Such a webhook sends to the same endpoint as the one it was derived from, with its secret, headers and delivery rules,
and follows it when these change. Where it listens and of what it is told is the entry's to say.
"""

from __future__ import annotations

from dataclasses import replace

from elasticlake.config.master_key import MasterKey
from elasticlake.errors import Conflict
from elasticlake.metadata import webhooks
from elasticlake.metadata.database import Transaction
from elasticlake.model.ids import new_webhook_id
from elasticlake.model.notifications import Notification, event_types, key_filter
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.service.sealing import seal, unseal
from elasticlake.service.webhook_definitions import WebhookChange


def derive(base: Webhook, entry: Notification, scope: WebhookScope, now_ms: int) -> Webhook:
    """A new webhook in the bucket for the entry. It is enabled, whatever `base` is."""
    return replace(
        base,
        id=new_webhook_id(),
        scope=scope,
        events=event_types(entry.events),
        rules=replace(base.rules, filter=key_filter(entry), where=None, format="s3", notification=entry),
        status="enabled",
        disabled_reason=None,
        revision=1,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def derive_again(known: Webhook, base: Webhook, entry: Notification, now_ms: int) -> Webhook:
    """The derived webhook `known` as it is now to be; itself, if nothing about it changes."""
    derived = replace(
        derive(base, entry, known.scope, now_ms),
        id=known.id,
        status=known.status,
        disabled_reason=known.disabled_reason,
        revision=known.revision,
        created_at_ms=known.created_at_ms,
        updated_at_ms=known.updated_at_ms,
    )
    return known if derived == known else replace(derived, revision=known.revision + 1, updated_at_ms=now_ms)


def follow(tx: Transaction, master_key: MasterKey, base: Webhook, now_ms: int) -> None:
    """Write down again what was derived from `base`, which has changed."""
    for stored in webhooks.derived_from(tx, base.id):
        known = unseal(master_key.decrypt, stored)
        assert known.rules.notification is not None
        derived = derive_again(known, base, known.rules.notification, now_ms)
        if derived is not known:
            webhooks.put(tx, seal(master_key.encrypt, derived))


def require_underived(webhook: Webhook, change: WebhookChange | None = None) -> Webhook:
    """The webhook; raises `Conflict` if it was derived, unless the change is of its status alone."""
    entry = webhook.rules.notification
    if entry is None or (change is not None and change == WebhookChange(status=change.status, resume=change.resume)):
        return webhook
    raise Conflict(
        f"The notification configuration of bucket {webhook.scope.name} (entry {entry.id}) made this webhook from"
        f" {entry.webhook_id}: change one of them. Of this one only its status can be changed."
    )
