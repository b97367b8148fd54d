"""Envelopes: the forms in which a payload travels, one for each `format` of a webhook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from elasticlake.clock import rfc3339_milliseconds
from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import OPERATIONAL_TYPES, Event
from elasticlake.model.rules import Format
from elasticlake.model.s3_records import s3_record, s3_test_event
from elasticlake.model.webhooks import Webhook

CONTENT_TYPES: dict[Format, str] = {
    "elasticlake": "application/json",
    "cloudevents": "application/cloudevents+json",
    "s3": "application/json",
}
BATCH_CONTENT_TYPES: dict[Format, str] = {**CONTENT_TYPES, "cloudevents": "application/cloudevents-batch+json"}
SEQUENCE_DIGITS = 19

# What CloudEvents' type String leaves out: control characters and Unicode's noncharacters.
_NONCHARACTERS = "".join(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
_is_beyond_cloudevents = re.compile(f"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef{_NONCHARACTERS}]").search


def envelope(webhook: Webhook, event: Event, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sent of an event's payload `document`: a function of event, webhook and payload, so each time the
    same."""
    match webhook.rules.format:
        case "elasticlake":
            return document
        case "cloudevents":
            return cloud_event(event, document)
        case "s3" if event.about is not None:
            # S3 knows no such thing; it was subscribed to when the webhook had another format.
            return document
        case "s3":
            entry = webhook.rules.notification
            if entry is not None and "test" in document:
                return s3_test_event(event)
            configuration_id = webhook.id if entry is None else entry.id
            return {"Records": [s3_record(event, webhook.account_id, configuration_id, document)]}


def batch_envelope(webhook: Webhook, sent: Sequence[Mapping[str, Any]]) -> Sequence[Any] | Mapping[str, Any]:
    """Several events' envelopes in one body: an array; in the format s3, whose envelope holds any number of records,
    one with all of them."""
    if webhook.rules.format == "s3" and all("Records" in one for one in sent):
        return {"Records": [record for one in sent for record in one["Records"]]}
    if webhook.rules.notification is not None:
        # Beside records it only ever sends S3's test event, which comes by itself.
        return sent[0]
    return list(sent)


def cloud_event(event: Event, document: Mapping[str, Any]) -> dict[str, Any]:
    """A structured-mode CloudEvent, with the payload as its data.

    A key that CloudEvents cannot carry as its `subject` is in the data alone. Source: CloudEvents 1.0.2, with its JSON
    event format and its extension "Sequence".
    """
    described: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/{event.bucket}" if event.about is None else f"/v1/webhooks/{event.about['id']}",
        "type": f"io.elasticlake.{event.type.replace(':', '.')}",
        "time": rfc3339_milliseconds(event.time_ms),
        "datacontenttype": "application/json",
    }
    if event.about is None:
        described |= _of_object(event)
    return described | {"data": document}


def _of_object(event: Event) -> dict[str, str]:
    # The extension demands that sequences sort as text.
    found = {"sequence": f"{event.sequence:0{SEQUENCE_DIGITS}d}"}
    key = event.key.decode()
    return found if _is_beyond_cloudevents(key) else {"subject": key} | found


def require_events_for(wanted: Format, events: Sequence[str]) -> None:
    """Raise `InvalidWebhook` where the format has no words for an event, or would tell one change twice.

    S3 has one event for a completed upload, `ObjectCreated:CompleteMultipartUpload`. Both the object's own event and
    `multipart:completed` become that one.
    """
    if wanted != "s3":
        return
    for event in events:
        if event in OPERATIONAL_TYPES:
            raise InvalidWebhook("events", f"The format s3 has no record for {event}.")
    if "multipart:completed" in events and {"object:created", "object:updated"} & set(events):
        raise InvalidWebhook(
            "events",
            "In the format s3 a completed upload is one record, which object:created and object:updated send already:"
            " leave multipart:completed out, or name it without them.",
        )
