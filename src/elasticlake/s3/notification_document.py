"""The document of a notification configuration, read and written.

Source: "NotificationConfiguration" and "PutBucketNotificationConfiguration", Amazon S3 API Reference.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from elasticlake.errors import InvalidDestination
from elasticlake.model.notifications import ARN_PREFIX, EVENT_NAMES, Destination, Notification, arn_of
from elasticlake.s3 import xml
from elasticlake.s3.errors import S3Error, argument

ROOT = "NotificationConfiguration"
MAX_ENTRIES = 100
MAX_ID_CHARACTERS = 255
MAX_VALUE_BYTES = 1024

# The entry's element → what it is, and its member that names the destination. In the order that S3 answers them.
_ELEMENTS: dict[str, tuple[Destination, str]] = {
    "TopicConfiguration": ("topic", "Topic"),
    "QueueConfiguration": ("queue", "Queue"),
    "CloudFunctionConfiguration": ("cloudFunction", "CloudFunction"),
}


def read_configuration(body: bytes) -> list[Notification]:
    """The entries as they were sent, an id that is missing as "". Raises `S3Error`, `InvalidDestination`."""
    root = xml.parse(body, ROOT)
    _require_members(root, {*_ELEMENTS, "EventBridgeConfiguration"})
    if root.find("EventBridgeConfiguration") is not None:
        raise S3Error("NotImplemented", "Webhooks alone can be notified: EventBridge is not implemented.")
    if len(root) > MAX_ENTRIES:
        raise S3Error("InvalidRequest", f"Too many configurations submitted. The maximum is {MAX_ENTRIES}.")
    entries = [_read_entry(node) for name in _ELEMENTS for node in root.iterfind(name)]
    ids = [entry.id for entry in entries if entry.id]
    if len(set(ids)) < len(ids):
        raise S3Error("InvalidArgument", "Same ID used for multiple configurations. IDs must be unique.")
    return entries


def write_configuration(entries: Iterable[Notification]) -> bytes:
    """The document that says them."""
    written = list(entries)
    content = [
        _write_entry(element, member, entry)
        for element, (destination, member) in _ELEMENTS.items()
        for entry in written
        if entry.destination == destination
    ]
    return xml.document(ROOT, content)


def _require_members(node: Any, names: set[str]) -> None:
    """Raise `S3Error` MalformedXML for what would otherwise be asked for in vain."""
    if any(child.tag not in names for child in node):
        raise S3Error("MalformedXML")


def _read_entry(node: Any) -> Notification:
    destination, member = _ELEMENTS[node.tag]
    _require_members(node, {"Id", member, "Event", "Filter"})
    identity, arn = xml.text(node, "Id") or "", xml.text(node, member)
    events = tuple(dict.fromkeys(child.text or "" for child in node.iterfind("Event")))
    if not arn or not events:
        raise S3Error("MalformedXML")
    if len(identity) > MAX_ID_CHARACTERS:
        raise S3Error("InvalidArgument", f"ID length exceeded allowed limit of {MAX_ID_CHARACTERS}")
    for event in events:
        if event not in EVENT_NAMES:
            message = f"The event '{event}' is not supported for notifications"
            raise S3Error("InvalidArgument", message, details=argument("Event", event))
    if not arn.startswith(ARN_PREFIX):
        raise InvalidDestination(arn, f"must be a webhook, written {ARN_PREFIX}wh_…")
    return Notification(identity, destination, arn.removeprefix(ARN_PREFIX), events, _read_filter(node))


def _read_filter(node: Any) -> tuple[tuple[str, str], ...]:
    for path, member in (("Filter", "S3Key"), ("Filter/S3Key", "FilterRule")):
        for found in node.iterfind(path):
            _require_members(found, {member})
    rules = tuple(_read_rule(rule) for rule in node.iterfind("Filter/S3Key/FilterRule"))
    for name in ("prefix", "suffix"):
        if sum(rule.lower() == name for rule, _ in rules) > 1:
            raise S3Error("InvalidArgument", f"Cannot specify more than one {name} rule in a filter.")
    return rules


def _read_rule(node: Any) -> tuple[str, str]:
    name, value = xml.text(node, "Name"), xml.text(node, "Value")
    if name is None or value is None:
        raise S3Error("MalformedXML")
    if name.lower() not in ("prefix", "suffix"):
        message = f"filter rule name must be either prefix or suffix, not '{name}'"
        raise S3Error("InvalidArgument", message, details=argument("FilterRule.Name", name))
    if len(value.encode()) > MAX_VALUE_BYTES:
        message = f"Size of filter rule value cannot exceed {MAX_VALUE_BYTES} bytes in UTF-8 representation"
        raise S3Error("InvalidArgument", message)
    return name, value


def _write_entry(element: str, member: str, entry: Notification) -> str:
    content = [xml.element("Id", entry.id), xml.element(member, arn_of(entry.webhook_id))]
    content += [xml.element("Event", event) for event in entry.events]
    rules = [
        xml.wrap("FilterRule", [xml.element("Name", name), xml.element("Value", value)])
        for name, value in entry.key_rules
    ]
    if rules:
        content.append(xml.wrap("Filter", [xml.wrap("S3Key", rules)]))
    return xml.wrap(element, content)
