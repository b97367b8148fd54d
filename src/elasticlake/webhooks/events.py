"""From a delivery to the events that it tells of, verified: in our envelope, as CloudEvents, or as S3's records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from elasticlake.webhooks.errors import InvalidPayload
from elasticlake.webhooks.event import Delivery, Event
from elasticlake.webhooks.headers import ATTEMPT, DELIVERY, REDELIVERY, REPLAY, Fields, Headers
from elasticlake.webhooks.members import Members
from elasticlake.webhooks.payloads import event_of_payload
from elasticlake.webhooks.records import TEST_EVENT, event_of_record, event_of_test
from elasticlake.webhooks.verification import (
    STANDARD_ALONE,
    TOLERANCE_SECONDS,
    Scheme,
    live_secrets,
    verified_id,
)


def parse(
    body: bytes,
    headers: Headers,
    secrets: str | Iterable[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
    schemes: Sequence[Scheme] = STANDARD_ALONE,
) -> Event:
    """The one event that the delivery tells of, verified as by `verify`.

    Raises:
        WebhookVerificationError: the delivery is not proven.
        InvalidPayload: it is no event, or several: a webhook with `batch` needs `parse_batch`.
    """
    found = parse_batch(body, headers, secrets, tolerance_seconds=tolerance_seconds, now=now, schemes=schemes)
    if len(found) > 1:
        raise InvalidPayload(f"The body is a batch of {len(found)} events: parse_batch takes it.")
    return found[0]


def parse_batch(
    body: bytes,
    headers: Headers,
    secrets: str | Iterable[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
    schemes: Sequence[Scheme] = STANDARD_ALONE,
) -> list[Event]:
    """The events of the delivery in their order, at least one, verified as by `verify`; raises as `parse` does."""
    fields = Fields.of(headers)
    message_id = verified_id(body, fields, live_secrets(secrets), tolerance_seconds, now, schemes)
    return _Reader(_delivery(fields), message_id).events(_decoded(bytes(body)))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what a message tells; `message_id` is None unless it is proven."""

    delivery: Delivery
    message_id: str | None

    def events(self, document: Any) -> list[Event]:
        envelopes = document if isinstance(document, list) else [document]
        found = [event for envelope in envelopes for event in self._opened(Members.of(envelope))]
        if not found:
            raise InvalidPayload("The body has no event.")
        return found

    def _opened(self, envelope: Members) -> Iterator[Event]:
        if envelope.has("Records"):
            yield from self._records(envelope.document["Records"])
        elif envelope.has("specversion"):
            yield event_of_payload(envelope.inner("data"), self.delivery, envelope.document)
        elif envelope.document.get("Event") == TEST_EVENT:
            yield event_of_test(envelope, self.delivery, self.message_id)
        else:
            yield event_of_payload(envelope, self.delivery, envelope.document)

    def _records(self, records: Any) -> Iterator[Event]:
        if not isinstance(records, list):
            raise InvalidPayload("Records is no array.")
        message_id = self.message_id if len(records) == 1 else None
        for index, record in enumerate(records):
            yield event_of_record(Members.of(record, f"Records[{index}]."), self.delivery, message_id)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise InvalidPayload("The body is no JSON.") from None


def _delivery(fields: Fields) -> Delivery:
    attempt = fields.hint(ATTEMPT) or ""
    return Delivery(
        id=fields.hint(DELIVERY),
        attempt=int(attempt) if attempt.isascii() and attempt.isdecimal() and len(attempt) < 10 else None,
        replay=fields.hint(REPLAY),
        redelivery=fields.hint(REDELIVERY) == "true",
    )
