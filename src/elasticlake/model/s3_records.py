"""Event records as Amazon S3 writes them, so that a handler for S3 runs unchanged. MinIO prefixes names by `s3:`.

Source: "Event message structure", Amazon S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from elasticlake.clock import rfc3339_milliseconds
from elasticlake.model.accounts import canonical_id
from elasticlake.model.events import Event

REGION = "us-east-1"
ANONYMOUS = "Anonymous"
UNKNOWN_ADDRESS = "0.0.0.0"
"""The log does not keep from where a request came, and a handler may count on an address."""

_CREATED = {
    "PutObject": "Put",
    "PostObject": "Post",
    "CopyObject": "Copy",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}
_OTHER = {
    "PutObjectAcl": "ObjectAcl:Put",
    "PutObjectTagging": "ObjectTagging:Put",
    "DeleteObjectTagging": "ObjectTagging:Delete",
}
_BEYOND = {"object": ("metadata", "url"), "record": ("coalesced", "backfill", "test")}
"""What a payload may have that S3's records lack: only where its owner asked for it, or for a test."""


def event_name(event: Event) -> str:
    """The event's name in S3's words: by what was done, since S3 does not tell creation from replacement."""
    if event.type == "object:deleted":
        return "LifecycleExpiration:Delete" if event.reason == "Lifecycle" else "ObjectRemoved:Delete"
    return _OTHER.get(event.reason) or f"ObjectCreated:{_CREATED.get(event.reason, 'Put')}"


def s3_record(event: Event, owner_id: str, configuration_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of `Records`. `document` is the event's payload; `owner_id` the account that owns the bucket."""
    name = event_name(event)
    record = {
        # S3 counts up for what came later than plain creations and removals.
        "eventVersion": "2.1" if name.startswith(("ObjectCreated:", "ObjectRemoved:")) else "2.3",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": rfc3339_milliseconds(event.time_ms),
        "eventName": name,
        "userIdentity": {"principalId": event.principal or ANONYMOUS},
        "requestParameters": {"sourceIPAddress": UNKNOWN_ADDRESS},
        # Both are what the answer to the request had in these headers.
        "responseElements": {"x-amz-request-id": event.request_id or "", "x-amz-id-2": event.request_id or ""},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": event.bucket,
                "ownerIdentity": {"principalId": canonical_id(owner_id)},
                "arn": f"arn:aws:s3:::{event.bucket}",
            },
            "object": _object(event, document["object"]),
        },
    }
    return record | {name: document[name] for name in _BEYOND["record"] if name in document}


def s3_test_event(event: Event) -> dict[str, str]:
    """What S3 sends when a notification configuration is put."""
    told = event.id[-16:].upper()
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": rfc3339_milliseconds(event.time_ms),
        "Bucket": event.bucket,
        "RequestId": told,
        "HostId": told,
    }


def _object(event: Event, described: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"key": quote_plus(event.key, safe="/")}
    if event.type != "object:deleted":
        found |= {"size": event.size_bytes, "eTag": event.etag}
    if event.version_id is not None:
        found["versionId"] = event.version_id
    # Of one length, so that comparing them as text compares the sequences.
    found["sequencer"] = f"{event.sequence:016X}"
    return found | {name: described[name] for name in _BEYOND["object"] if name in described}
