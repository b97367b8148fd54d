"""A secret's rotation: old and new sign together for a while, so that receivers can change over without a gap."""

from __future__ import annotations

from dataclasses import replace

from elasticlake.errors import Conflict, InvalidWebhook
from elasticlake.model.webhooks import Webhook

DEFAULT_OVERLAP_SECONDS = 86_400
MAX_OVERLAP_SECONDS = 30 * 86_400


def signing_secrets(webhook: Webhook, now_ms: int) -> tuple[str, ...]:
    """The secrets that sign now. The first is that of `X-ElasticLake-Signature`, which has room for one: the old."""
    following = webhook.sealed.next_secret
    if following is None:
        return (webhook.secret,)
    return (webhook.secret, following) if _is_overlapping(webhook, now_ms) else (following,)


def rotated(webhook: Webhook, secret: str, overlap_seconds: int, now_ms: int) -> Webhook:
    """The webhook with `secret` as its next one. A next secret that there was already is replaced; its overlap begins
    anew.

    Raises `InvalidWebhook` for an overlap that is none of 0 to 30 days (0 replaces the secret at once), and for the
    secret that there is.
    """
    if not 0 <= overlap_seconds <= MAX_OVERLAP_SECONDS:
        raise InvalidWebhook("overlapSeconds", "The old secret goes on signing for 0 to 2,592,000 seconds (30 days).")
    known = settled(webhook, now_ms)
    if secret == known.secret:
        raise InvalidWebhook("secret", "This is the webhook's secret already: give another.")
    ends_at_ms = now_ms + overlap_seconds * 1000
    begun = replace(known, sealed=replace(known.sealed, next_secret=secret), overlap_ends_at_ms=ends_at_ms)
    return settled(begun, now_ms)


def promoted(webhook: Webhook) -> Webhook:
    """The webhook with its next secret as the only one; raises `Conflict` if it has none."""
    following = webhook.sealed.next_secret
    if following is None:
        raise Conflict("No rotation of the webhook's secret is under way.")
    return with_secret(webhook, following)


def with_secret(webhook: Webhook, secret: str) -> Webhook:
    """The webhook with this secret alone, whatever rotation was under way."""
    return replace(webhook, secret=secret, sealed=replace(webhook.sealed, next_secret=None), overlap_ends_at_ms=None)


def settled(webhook: Webhook, now_ms: int) -> Webhook:
    """The webhook as it is once the time of an overlap has passed: what is stored changes with the next change only."""
    if webhook.sealed.next_secret is None or _is_overlapping(webhook, now_ms):
        return webhook
    return promoted(webhook)


def _is_overlapping(webhook: Webhook, now_ms: int) -> bool:
    return webhook.overlap_ends_at_ms is not None and now_ms < webhook.overlap_ends_at_ms
