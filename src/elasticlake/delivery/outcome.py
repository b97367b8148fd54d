"""What an attempt means for its delivery: a pure decision, and the record of it."""

from __future__ import annotations

from typing import Literal

from elasticlake.delivery.attempt import Request, Result
from elasticlake.delivery.composer import Delivery
from elasticlake.delivery.masking import masked, masked_answer, masked_request
from elasticlake.metadata.deliveries import Counted
from elasticlake.metadata.history import Attempt
from elasticlake.model.schedule import next_attempt_delay, parse_retry_after
from elasticlake.model.webhooks import Webhook
from elasticlake.record import record

GONE_STATUS = 410
GONE = "gone"
DISABLE_HEADER = "webhook-delivery"
ASKED_TO_STOP = "receiverAskedToStop"
STOPS = (GONE, ASKED_TO_STOP)
"""Why a webhook is disabled whose endpoint wants no more."""
_HONOURS_RETRY_AFTER = (429, 503)


@record
class Verdict:
    """The delivery's status after an attempt; `disable` is the reason if the webhook itself must stop."""

    status: Literal["delivered", "retrying", "dead"]
    next_attempt_at_ms: int | None = None
    disable: str | None = None

    @property
    def counted(self) -> Counted:
        """As what an ended delivery is counted."""
        return "delivered" if self.status == "delivered" else "dead"


def judge(
    webhook: Webhook, attempts: int, result: Result, now_ms: int, chance: float, *, once: bool = False
) -> Verdict:
    """What follows from the n-th attempt. `chance` is uniform in [0, 1); with `once` there is no second attempt."""
    if result.succeeded:
        return Verdict("delivered")
    if once:
        return Verdict("dead")
    if reason := _stops(result):
        # The endpoint asks us to stop: the event waits, should its owner enable the webhook again.
        return Verdict("retrying", now_ms, reason)
    retry_after = None
    if result.status_code in _HONOURS_RETRY_AFTER and result.retry_after is not None:
        retry_after = parse_retry_after(result.retry_after, now_ms / 1000)
    delay_seconds = next_attempt_delay(webhook.retry_schedule_seconds, attempts, retry_after, chance)
    if delay_seconds is None:
        return Verdict("dead", None, "deadDelivery" if webhook.on_dead == "pause" else None)
    return Verdict("retrying", now_ms + int(delay_seconds * 1000))


def _stops(result: Result) -> str | None:
    """Why the receiver wants no more, in a failed answer: 410, or `webhook-delivery: disable`."""
    if result.status_code == GONE_STATUS:
        return GONE
    asked = any(
        name.lower() == DISABLE_HEADER and value.strip().lower() == "disable" for name, value in result.response_headers
    )
    return ASKED_TO_STOP if asked else None


def attempt_record(delivery: Delivery, attempt: int, request: Request, result: Result, verdict: Verdict) -> Attempt:
    """What history keeps of the attempt."""
    webhook = delivery.webhook
    return Attempt(
        webhook_id=webhook.id,
        bucket_id=delivery.id.bucket_id,
        sequence=delivery.id.sequence,
        generation=delivery.id.generation,
        attempt=attempt,
        event_id=delivery.event.id,
        event=delivery.event.type,
        key=delivery.event.key,
        started_at_ms=result.started_at_ms,
        duration_ms=round(result.duration_seconds * 1000, 3),
        status_code=result.status_code,
        error_class=result.error_class,
        error=result.error,
        request_headers=masked_request(webhook, request.headers),
        request_body=masked(webhook, request.body),
        response_headers=masked_answer(webhook, result.response_headers),
        response_body=masked(webhook, result.response_body),
        status=verdict.status,
        next_attempt_at_ms=verdict.next_attempt_at_ms,
        address=result.address,
        timings=result.timings,
    )
