"""What may be kept of an attempt: history is not sealed, so what opens something is masked in it.

That is the values of the owner's own headers, which are often credentials, and the signatures of links. A receiver may
repeat what it got, so answers are masked like requests.
"""

from __future__ import annotations

import re

from elasticlake.model.custom_headers import MASK
from elasticlake.model.webhooks import Webhook

Headers = tuple[tuple[str, str], ...]

SHORTEST_CHARACTERS = 6
"""A shorter value is found in answers that do not repeat it."""
_LINK_SIGNATURE = re.compile(rb"(X-Amz-Signature(?:=|%3D))[0-9a-f]{64}")


def masked_request(webhook: Webhook, headers: Headers) -> Headers:
    """The headers that we sent."""
    own = {name for name, _ in webhook.sealed.headers}
    return tuple((name, MASK if name in own else value) for name, value in headers) if own else headers


def masked_answer(webhook: Webhook, headers: Headers) -> Headers:
    """The headers that came back."""
    if not (webhook.sealed.headers or _has_links(webhook)):
        return headers
    return tuple((name, masked(webhook, value.encode()).decode()) for name, value in headers)


def masked(webhook: Webhook, body: bytes) -> bytes:
    """A body, sent or received."""
    for _, value in webhook.sealed.headers:
        if len(value) >= SHORTEST_CHARACTERS:
            body = body.replace(value.encode(), MASK.encode())
    return _LINK_SIGNATURE.sub(rb"\1" + MASK.encode(), body) if _has_links(webhook) else body


def _has_links(webhook: Webhook) -> bool:
    return webhook.rules.include_url_seconds is not None
