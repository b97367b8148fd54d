"""TLS contexts of webhooks that have a client certificate or an authority of their own."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import field

from elasticlake.model.webhooks import Sealed
from elasticlake.record import record
from elasticlake.service.tls_identity import client_context

REMEMBERED_CONTEXTS = 64
"""With the public authorities in it, one takes most of a megabyte."""


@record
class WebhookTls:
    """How a webhook speaks TLS. Another revision is another identity, whatever changed."""

    webhook_id: str
    revision: int
    parts: Sealed = field(repr=False, compare=False)


def webhook_tls(webhook_id: str, revision: int, sealed: Sealed) -> WebhookTls | None:
    """The webhook's own way, None where it speaks TLS as all others do."""
    is_own = sealed.client_certificate is not None or sealed.certificate_authority is not None
    return WebhookTls(webhook_id, revision, sealed) if is_own else None


class TlsContexts:
    """A context for each identity, kept while it is used: connections are shared by context, so never by two
    identities."""

    def __init__(self, limit: int = REMEMBERED_CONTEXTS) -> None:
        self._limit = limit
        self._known: OrderedDict[WebhookTls, ssl.SSLContext] = OrderedDict()

    async def of(self, identity: WebhookTls) -> ssl.SSLContext:
        """The identity's context; raises `ssl.SSLError` if it cannot be used, OSError for a fault of this machine."""
        known = self._known.get(identity)
        if known is None:
            made = await asyncio.to_thread(client_context, identity.parts)
            # Whoever asked meanwhile has put one down: one of them is kept.
            known = self._known.setdefault(identity, made)
        self._known.move_to_end(identity)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
        return known
