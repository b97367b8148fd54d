"""A webhook's confidential parts, between memory and the store, where they are ciphertext (I8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace

from elasticlake.metadata.webhooks import StoredWebhook
from elasticlake.model.custom_headers import MASK, masked
from elasticlake.model.rotation import settled
from elasticlake.model.webhooks import Sealed, Webhook

_PLAIN = Sealed()


def seal(encrypt: Callable[[str], bytes], webhook: Webhook) -> StoredWebhook:
    """The webhook as it is stored."""
    bare = replace(webhook, secret="", sealed=_PLAIN)
    sealed = None if webhook.sealed == _PLAIN else encrypt(json.dumps(asdict(webhook.sealed)))
    return StoredWebhook(bare, encrypt(webhook.secret), sealed)


def unseal(decrypt: Callable[[bytes], str], stored: StoredWebhook) -> Webhook:
    """The webhook as it was given to `seal`; raises `MasterKeyError` if another key sealed it."""
    sealed = _PLAIN if stored.sealed is None else _sealed(decrypt(stored.sealed))
    return replace(stored.webhook, secret=decrypt(stored.secret), sealed=sealed)


def shown(decrypt: Callable[[bytes], str], stored: StoredWebhook, now_ms: int) -> Webhook:
    """The webhook as its owner may see it: nothing secret in it, and of the headers' values and the key that they are
    there."""
    known = settled(unseal(decrypt, stored), now_ms)
    key = None if known.sealed.client_key is None else MASK
    sealed = replace(known.sealed, next_secret=None, headers=masked(known.sealed.headers), client_key=key)
    return replace(known, secret="", sealed=sealed)


def _sealed(text: str) -> Sealed:
    document = json.loads(text)
    known = {field.name: document[field.name] for field in fields(Sealed) if field.name in document}
    return Sealed(**known | {"headers": tuple((name, value) for name, value in known.get("headers", ()))})
