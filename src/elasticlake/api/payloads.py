"""What webhooks receive, in every envelope: documents that are only described here, for they are made elsewhere
(`model/events.py`, `model/envelopes.py`, `model/s3_records.py`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import models_json_schema

from elasticlake.api.documents import Document, IfGiven, Timestamp, example
from elasticlake.api.events import DescribedObject, EventDocument
from elasticlake.model.events import OperationalType

_OBJECT: dict[str, Any] = {
    "key": "uploads/document.pdf",
    "size": 1048576,
    "etag": "d41d8cd98f00b204e9800998ecf8427e",
    "contentType": "application/pdf",
}
EVENT_ID = "evt_019a357fb4287736c896b33f5fb6d6"
_PAYLOAD: dict[str, Any] = {
    "event": "object:created",
    "timestamp": "2025-10-30T14:22:33Z",
    "bucket": "lake1--pond1--my-bucket",
    "object": _OBJECT,
    "lake": "production",
    "pond": "documents",
    "id": EVENT_ID,
    "sequence": 42,
    "reason": "PutObject",
    "principal": "ELQ3ZXWJ2K7RT5VYBN4A",
    "requestId": "0A4537C4DB329D69",
}
_WEBHOOK: dict[str, Any] = {
    "event": "webhook:disabled",
    "timestamp": "2025-10-30T14:22:33Z",
    "id": EVENT_ID,
    "webhook": {
        "id": "wh_mfrggzdfmztwq2lk",
        "name": "",
        "endpoint": "https://myapp.com/webhooks/storage",
        "bucket": "lake1--pond1--my-bucket",
        "disabledReason": "failing",
    },
}
_CLOUD_EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": EVENT_ID,
    "source": "/lake1--pond1--my-bucket",
    "type": "io.elasticlake.object.created",
    "time": "2025-10-30T14:22:33.000Z",
    "datacontenttype": "application/json",
    "subject": "uploads/document.pdf",
    "sequence": "0000000000000000042",
    "data": _PAYLOAD,
}
_RECORD: dict[str, Any] = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "awsRegion": "us-east-1",
    "eventTime": "2025-10-30T14:22:33.000Z",
    "eventName": "ObjectCreated:Put",
    "userIdentity": {"principalId": "ELQ3ZXWJ2K7RT5VYBN4A"},
    "requestParameters": {"sourceIPAddress": "0.0.0.0"},
    "responseElements": {"x-amz-request-id": "0A4537C4DB329D69", "x-amz-id-2": "0A4537C4DB329D69"},
    "s3": {
        "s3SchemaVersion": "1.0",
        "configurationId": "wh_mfrggzdfmztwq2lk",
        "bucket": {
            "name": "lake1--pond1--my-bucket",
            "ownerIdentity": {"principalId": "6f25e685b6c54c80e77d41b3bf9ed43f089de3df4c3a01e1d7ac5965066918b9"},
            "arn": "arn:aws:s3:::lake1--pond1--my-bucket",
        },
        "object": {
            "key": "uploads/document.pdf",
            "size": 1048576,
            "eTag": "d41d8cd98f00b204e9800998ecf8427e",
            "sequencer": "000000000000002A",
        },
    },
}


class PayloadObject(DescribedObject):
    """The object; of one that was removed, what it was."""

    model_config = ConfigDict(json_schema_extra=example(**_OBJECT))

    metadata: IfGiven[dict[str, str]] = Field(default=None, description="User metadata, with `includeMetadata`.")
    url: str | None = Field(
        default=None, description="A presigned GET URL, with `includeUrl`; null where no access key can sign it."
    )


class Payload(EventDocument):
    """An event as the format `elasticlake` sends it. Members may be added; none is ever taken away."""

    model_config = ConfigDict(json_schema_extra=example(**_PAYLOAD))

    object: PayloadObject
    sequence: int = Field(ge=0, description="The event's number in its bucket; 0 for a test.")
    coalesced: IfGiven[int] = Field(default=None, ge=0, description="How many earlier events of the key it stands for.")
    backfill: IfGiven[bool] = Field(default=None, description="It tells of an object that was there before.")
    test: IfGiven[bool] = Field(default=None, description="Nothing happened: somebody tests the webhook.")


class ToldWebhook(Document):
    """The webhook that an event tells of, and where it listens."""

    id: str
    name: str
    endpoint: str
    bucket: IfGiven[str] = None
    pond: IfGiven[str] = None
    lake: IfGiven[str] = None
    disabled_reason: IfGiven[str] = Field(default=None, description="With `webhook:disabled`.")
    failing_since: IfGiven[Timestamp] = Field(default=None, description="With `webhook:failing`.")
    disabled_at: IfGiven[Timestamp] = Field(
        default=None, description="With `webhook:failing`: when it will be disabled."
    )


class WebhookPayload(Document):
    """An event that tells of another webhook of the account."""

    model_config = ConfigDict(json_schema_extra=example(**_WEBHOOK))

    event: OperationalType
    timestamp: Timestamp
    id: str
    webhook: ToldWebhook


class CloudEvent(Document):
    """A CloudEvent 1.0 in structured mode."""

    model_config = ConfigDict(json_schema_extra=example(**_CLOUD_EVENT))

    specversion: Literal["1.0"]
    id: str
    source: str = Field(json_schema_extra={"format": "uri-reference"})
    type: str
    time: Timestamp
    datacontenttype: Literal["application/json"]
    subject: IfGiven[str] = Field(default=None, description="The key, where CloudEvents can carry it.")
    sequence: IfGiven[str] = Field(
        default=None, pattern="^[0-9]{19}$", description="Sorts as text as the sequence does."
    )
    data: Payload | WebhookPayload


class S3Records(Document):
    """Amazon S3's event message; beside S3's own members, a record may have `coalesced`, `backfill` and `test`."""

    model_config = ConfigDict(json_schema_extra=example(Records=[_RECORD]))

    records: list[dict[str, Any]] = Field(alias="Records", min_length=1)


class S3TestEvent(Document):
    """What S3 sends when a notification configuration is put."""

    model_config = ConfigDict(
        json_schema_extra=example(
            Service="Amazon S3",
            Event="s3:TestEvent",
            Time="2025-10-30T14:22:33.000Z",
            Bucket="lake1--pond1--my-bucket",
            RequestId="2A0A4537C4DB329D",
            HostId="2A0A4537C4DB329D",
        )
    )

    service: Literal["Amazon S3"] = Field(alias="Service")
    event: Literal["s3:TestEvent"] = Field(alias="Event")
    time: Timestamp = Field(alias="Time")
    bucket: str = Field(alias="Bucket")
    request_id: str = Field(alias="RequestId")
    host_id: str = Field(alias="HostId")


def payload_schemas() -> dict[str, Any]:
    """The schemas by their names, for the components of the description."""
    models = (Payload, WebhookPayload, CloudEvent, S3Records, S3TestEvent)
    _, made = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = made["$defs"]
    return schemas
