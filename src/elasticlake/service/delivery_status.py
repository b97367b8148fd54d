"""What a delivery's status is. It needs no row: the log, the webhook's position, its lanes and its dead tell.

Pure: the facts come in, the answer goes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from elasticlake.metadata.deliveries import DeadDelivery, Lane, RequestedDelivery
from elasticlake.metadata.history import Attempt
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.jobs import job_of
from elasticlake.model.webhooks import DeliveryStatus, Webhook
from elasticlake.service.selection import select

FINAL: frozenset[str] = frozenset({"delivered", "dead", "canceled", "expired", "coalesced"})
TEST_EVENT = "object:created"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook, as it stands. A test has neither event nor, for a pond or lake, a bucket; what is told
    of a webhook has neither bucket nor key."""

    id: DeliveryId
    bucket: str | None
    event_id: str | None
    event: str
    key: bytes | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at_ms: int | None
    last_attempt_at_ms: int | None
    last_status_code: int | None = None
    """What the last attempt was answered with; None if it was not."""
    is_told_by_another: bool = False
    """Whether it is delivered though its own last attempt failed: another delivery of the event has arrived."""

    @property
    def kind(self) -> Literal["event", "redelivery", "test", "replay", "backfill"]:
        if self.id.sequence == 0:
            return "test"
        if (job := job_of(self.id.generation)) is not None:
            return job[1]
        return "event" if self.id.is_first else "redelivery"

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a delivery. `start` is where the webhook began in the log, `position` how far it is."""

    bucket: str | None
    place: BucketPlace | None
    start: int
    position: int
    event: Event | None
    lane: Lane | None
    dead: DeadDelivery | None
    requested: RequestedDelivery | None
    last: Attempt | None


def in_scope(webhook: Webhook, place: BucketPlace) -> bool:
    """Whether the webhook listens to the bucket: it lies in the scope, and the webhook's account owns it."""
    located = {"bucket": place.id, "pond": place.pond_id, "lake": place.lake_id}[webhook.scope.kind]
    return located == webhook.scope.id and place.account_id == webhook.account_id


def describe(webhook: Webhook, delivery_id: DeliveryId, facts: Facts) -> Delivery | None:
    """The delivery, or None if there is no such one."""
    is_requested = delivery_id.generation > 0
    if is_requested:
        status = _requested_status(delivery_id, facts)
    else:
        status = _logged_status(webhook, delivery_id.sequence, facts)
    is_of_job = job_of(delivery_id.generation) is not None
    # A job may send what the log does not say: an event with another id, or an object's own.
    told = (facts.last or facts.event) if is_of_job else (facts.event or facts.last)
    key = told.key if told is not None else facts.requested.key if facts.requested is not None else None
    if delivery_id.is_operational:
        key = None
    if status is None or (told is None and key is None and delivery_id.sequence > 0):
        return None
    waiting = facts.requested if is_requested else facts.lane if status == "retrying" else None
    counted = waiting or facts.dead or facts.last
    return Delivery(
        id=delivery_id,
        bucket=facts.bucket,
        event_id=None if told is None else told.id if isinstance(told, Event) else told.event_id,
        event=TEST_EVENT if told is None else told.type if isinstance(told, Event) else told.event,
        key=key,
        status=status,
        attempts=_attempts(counted),
        next_attempt_at_ms=waiting.next_attempt_at_ms if waiting and status not in FINAL else None,
        last_attempt_at_ms=facts.last.started_at_ms if facts.last else None,
        last_status_code=facts.last.status_code if facts.last else None,
        is_told_by_another=status == "delivered" and _has_failed(facts.last) and not _has_arrived(facts.requested),
    )


def _requested_status(delivery_id: DeliveryId, facts: Facts) -> DeliveryStatus | None:
    if facts.requested is not None:
        status = cast(DeliveryStatus, facts.requested.status)
        # A dead delivery has a row until a redelivery of its event succeeds; a test has no event.
        is_revived = status == "dead" and facts.dead is None and delivery_id.sequence > 0
        return "delivered" if is_revived else status
    # What a job delivered at once has no row.
    is_known = facts.last is not None and job_of(delivery_id.generation) is not None
    return cast(DeliveryStatus, facts.last.status) if facts.last is not None and is_known else None


def _logged_status(webhook: Webhook, sequence: int, facts: Facts) -> DeliveryStatus | None:
    """A lane or a dead row is the dispatcher's own word; an attempt's outcome comes next; else the position tells."""
    if sequence == 0 or facts.place is None or not in_scope(webhook, facts.place):
        return None
    if facts.dead is not None:
        return "dead"
    lane = facts.lane
    if lane is not None and lane.head_sequence == sequence:
        # A webhook that is disabled attempts nothing: what it has begun waits until it is enabled.
        return "retrying" if webhook.status == "enabled" else "held"
    if facts.last is not None and facts.last.status in FINAL:
        # As above: a dead delivery has a row until a redelivery succeeds.
        return "delivered" if facts.last.status == "dead" else cast(DeliveryStatus, facts.last.status)
    if sequence <= facts.start:
        # The start moves only when a webhook resumes "from now": what had been attempted by then was given up.
        return "canceled" if facts.last is not None else None
    if facts.event is None:
        return "expired" if facts.last is not None else None
    if not select(webhook.events, webhook.rules).selects(facts.event):
        return None
    # What was passed over had no attempt.
    passed: DeliveryStatus = "coalesced" if webhook.rules.coalesce and facts.last is None else "delivered"
    if lane is not None:
        return "held" if lane.head_sequence < sequence else passed
    return "pending" if sequence > facts.position else passed


def _has_arrived(requested: RequestedDelivery | None) -> bool:
    """Whether its own row has it as delivered: history comes a moment later."""
    return requested is not None and requested.status == "delivered"


def _has_failed(last: Attempt | None) -> bool:
    return last is not None and last.error_class is not None


def _attempts(counted: Lane | RequestedDelivery | DeadDelivery | Attempt | None) -> int:
    if counted is None:
        return 0
    return counted.attempt if isinstance(counted, Attempt) else counted.attempts
