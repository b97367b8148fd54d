"""The requests that an endpoint receives, as the description's `webhooks`: one for each event, in every envelope."""

from __future__ import annotations

from typing import Any

from elasticlake.api.payloads import EVENT_ID, payload_schemas
from elasticlake.model.envelopes import BATCH_CONTENT_TYPES, CONTENT_TYPES
from elasticlake.model.events import EVENT_TYPES, OPERATIONAL_TYPES

_WHEN = {
    "object:created": "A key without a current object has got one.",
    "object:updated": "A key's object has got new content, or its metadata, tags or ACL have changed.",
    "object:deleted": "The current object has gone, or a version was removed for good.",
    "multipart:completed": "An upload was completed; it follows that object's own event, with the next sequence.",
    "webhook:failing": "Another webhook of the account has failed for a day without one success.",
    "webhook:disabled": "Another webhook of the account was disabled without anybody asking for it.",
    "batch": "Several events in one request, of a webhook with `batch`; it is acknowledged as a whole.",
}
_HEADERS = {
    "X-ElasticLake-Signature": (
        "`sha256=` and the hex HMAC-SHA256 of the body, by the whole secret as UTF-8.",
        "^sha256=[0-9a-f]{64}$",
        "sha256=8b5c8a1f0d6e4c2b9a7f3e1d5c0b8a6f4e2d0c9b7a5f3e1d8c6b4a2f0e9d7c5b",
    ),
    "X-ElasticLake-Event": ("The event's type, or `batch`.", None, "object:created"),
    "X-ElasticLake-Delivery": ("The delivery's id.", "^dlv_", "dlv_mfrggzdfmztwq2lkaeaqa"),
    "X-ElasticLake-Attempt": ("1, 2, …", "^[1-9][0-9]*$", "1"),
    "webhook-id": ("The event's id, the same in every attempt (Standard Webhooks).", "^(evt|bat)_", EVENT_ID),
    "webhook-timestamp": ("When the attempt began, in seconds since the Unix epoch.", "^[0-9]+$", "1761834153"),
    "webhook-signature": (
        "`v1,` and the base64 HMAC-SHA256 of id, timestamp and body, joined by dots; two, with a space between, while"
        " a secret and its successor both sign.",
        "^v1,",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}
_MARKS = {
    "X-ElasticLake-Redelivery": ("`true` where the delivery was asked for again.", "true"),
    "X-ElasticLake-Replay": ("The id of the replay that sends it.", "job_019b7cabb0aeab12cd34ef56"),
}
_JSON, _CLOUD_EVENT = CONTENT_TYPES["elasticlake"], CONTENT_TYPES["cloudevents"]
_CLOUD_EVENTS = BATCH_CONTENT_TYPES["cloudevents"]
_ANSWERS = {
    "2XX": "The event has arrived. Any other answer, or none within `timeoutSeconds`, is a failure: it is sent again on"
    " the webhook's schedule. Redirects are never followed.",
    "410": "No more of it: the webhook is disabled.",
    "429": "Later: `Retry-After` is honoured.",
    "503": "Later: `Retry-After` is honoured.",
}


def add_webhooks(document: dict[str, Any]) -> None:
    """Describe what endpoints receive."""
    components = document["components"]
    components["schemas"] |= payload_schemas()
    components["parameters"] = {
        **{
            name: _header(name, text, {"pattern": p} if p else {}, shown) for name, (text, p, shown) in _HEADERS.items()
        },
        **{name: _header(name, text, {}, shown, required=False) for name, (text, shown) in _MARKS.items()},
    }
    document["webhooks"] = {
        name: {"post": _request(name, meaning, list(components["parameters"]))} for name, meaning in _WHEN.items()
    }


def _request(name: str, meaning: str, parameters: list[str]) -> dict[str, Any]:
    words = "".join(part.capitalize() for part in name.split(":"))
    return {
        "operationId": f"receive{words}",
        "tags": ["deliveries"],
        "summary": f"Receive {name}",
        "description": f"{meaning} `format` of the webhook picks the envelope.",
        "security": [],
        "parameters": [{"$ref": f"#/components/parameters/{header}"} for header in parameters],
        "requestBody": {"required": True, "content": _content(name)},
        "responses": {status: {"description": text} for status, text in _ANSWERS.items()},
    }


def _content(name: str) -> dict[str, Any]:
    """The body in each envelope, by its media type."""
    if name in OPERATIONAL_TYPES:
        return {_JSON: {"schema": _ref("WebhookPayload")}, _CLOUD_EVENT: {"schema": _ref("CloudEvent")}}
    if name in EVENT_TYPES:
        plain = [_ref("Payload"), _ref("S3Records"), _ref("S3TestEvent")]
        return {_JSON: {"schema": {"anyOf": plain}}, _CLOUD_EVENT: {"schema": _ref("CloudEvent")}}
    payloads = _list_of({"anyOf": [_ref("Payload"), _ref("WebhookPayload")]})
    return {
        _JSON: {"schema": {"anyOf": [payloads, _ref("S3Records"), _ref("S3TestEvent")]}},
        _CLOUD_EVENTS: {"schema": _list_of(_ref("CloudEvent"))},
    }


def _list_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "minItems": 1}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _header(
    name: str, description: str, limits: dict[str, Any], shown: str, *, required: bool = True
) -> dict[str, Any]:
    schema = {"type": "string", **limits}
    return {
        "name": name, "in": "header", "required": required, "description": description, "schema": schema,
        "example": shown,
    }  # fmt: skip
