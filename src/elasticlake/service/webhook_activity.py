"""What the audit log says of webhooks: which fields changed, and never a value that may hold a secret."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from elasticlake.model.activity import Action, Done
from elasticlake.model.rules import to_document
from elasticlake.model.webhooks import Webhook

_OWN = {
    "endpoint": "endpoint",
    "events": "events",
    "retrySchedule": "retry_schedule_seconds",
    "timeoutSeconds": "timeout_seconds",
    "ordering": "ordering",
    "onDead": "on_dead",
    "name": "name",
    "secret": "secret",
}
_SEALED = {
    "next_secret": "secret",
    "headers": "headers",
    "client_certificate": "clientCertificate",
    "client_key": "clientKey",
    "certificate_authority": "certificateAuthority",
}


def done(action: Action, webhook: Webhook, **detail: Any) -> Done:
    """What was done to the webhook."""
    scope = webhook.scope
    bucket = scope.name if scope.kind == "bucket" else None
    return Done(action, webhook.id, webhook.account_id, bucket, {scope.kind: scope.name, **detail})


def changed_fields(known: Webhook, made: Webhook) -> list[str]:
    """Which of the webhook's fields differ, in the words of the API."""
    found = {name for name, attribute in _OWN.items() if getattr(known, attribute) != getattr(made, attribute)}
    before, after = to_document(known.rules), to_document(made.rules)
    found |= {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    found |= {
        _SEALED[field.name]
        for field in fields(made.sealed)
        if getattr(known.sealed, field.name) != getattr(made.sealed, field.name)
    }
    return sorted(found)
