"""How a webhook is, in one word, and why."""

from __future__ import annotations

from elasticlake.model.webhooks import Webhook
from elasticlake.record import record
from elasticlake.service.webhook_definitions import MANUAL
from elasticlake.service.webhook_standing import Standing

_WHY_DISABLED = {
    "gone": "The endpoint answered 410 Gone: it wants no more.",
    "receiverAskedToStop": "The endpoint answered with webhook-delivery: disable: it wants no more.",
    "deadDelivery": "A delivery was given up, and this webhook stops where that happens.",
    "failing": "Not one attempt has succeeded for days.",
    "bucketDeleted": "The bucket was deleted, and its last events have been told.",
}


@record
class State:
    """`kind` is the colour's name (good, bad, warn, quiet), `why` a sentence, `since_ms` when that began, if known."""

    kind: str
    word: str
    why: str = ""
    since_ms: int | None = None


def state_of(webhook: Webhook, standing: Standing) -> State:
    """Paused is what its owner disabled, disabled is what the server did."""
    if webhook.status == "disabled":
        if webhook.disabled_reason in (MANUAL, None):
            return State("quiet", "paused", "It was paused by hand. What happens meanwhile waits in the log.")
        reason = webhook.disabled_reason or ""
        return State("bad", "disabled", _WHY_DISABLED.get(reason, reason), webhook.updated_at_ms)
    if standing.failing_since_ms is not None:
        return State("warn", "failing", "No attempt has succeeded.", standing.failing_since_ms)
    return State("good", "active")
