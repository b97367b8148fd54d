"""What a webhook's owner may ask for beside where and of what it is told: which events, in which form, how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from elasticlake.errors import InvalidWebhook
from elasticlake.model import notifications
from elasticlake.model.filters import Filter, require_filter
from elasticlake.model.notifications import Notification

Format = Literal["elasticlake", "cloudevents", "s3"]
FORMATS: tuple[Format, ...] = get_args(Format)

MAX_RATE = 100_000.0
MAX_CONCURRENCY = 32
MAX_BATCH_EVENTS = 1000
MAX_BATCH_WAIT_MS = 60_000
MIN_URL_SECONDS = 60
MAX_URL_SECONDS = 604_800
"""A presigned URL lives a week at most, as S3's do."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How many events may go in one request, and how long the first of them waits for more."""

    max_events: int
    max_wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """A webhook's rules, each with the value that it has where its owner says nothing."""

    filter: Filter = field(default_factory=Filter)
    where: str | None = None
    """A CEL expression over the payload."""
    format: Format = "elasticlake"
    """The envelope."""
    include_metadata: bool = False
    """Whether the payload has the object's user metadata."""
    include_url_seconds: int | None = None
    """The life of a presigned GET URL in the payload; None for none."""
    coalesce: bool = False
    """Whether of a key's waiting events only the latest is sent."""
    rate_limit: float | None = None
    """Attempts a second, at most."""
    max_concurrency: int | None = None
    """Attempts at once, at most."""
    batch: Batch | None = None
    notification: Notification | None = None
    """The entry of its bucket's S3 notification configuration that made the webhook; None for its owner's own."""


def require_rules(rules: Rules) -> Rules:
    """`rules`, if they can be kept; raises `InvalidWebhook` that names the field."""
    if rules.rate_limit is not None and not 0.01 <= rules.rate_limit <= MAX_RATE:
        raise InvalidWebhook("rateLimit", f"It is a number of deliveries a second, 0.01 to {MAX_RATE:,.0f}.")
    if rules.max_concurrency is not None and not 1 <= rules.max_concurrency <= MAX_CONCURRENCY:
        raise InvalidWebhook("maxConcurrency", f"It is 1 to {MAX_CONCURRENCY} attempts at once.")
    if rules.include_url_seconds is not None and not MIN_URL_SECONDS <= rules.include_url_seconds <= MAX_URL_SECONDS:
        raise InvalidWebhook("includeUrl", f"The link lives {MIN_URL_SECONDS} to {MAX_URL_SECONDS:,} seconds.")
    if rules.batch is not None:
        _require_batch(rules.batch)
    require_filter(rules.filter)
    return rules


def _require_batch(batch: Batch) -> None:
    if not 1 <= batch.max_events <= MAX_BATCH_EVENTS:
        raise InvalidWebhook("batch.maxEvents", f"A batch has 1 to {MAX_BATCH_EVENTS:,} events.")
    if not 0 <= batch.max_wait_ms <= MAX_BATCH_WAIT_MS:
        raise InvalidWebhook("batch.maxWaitMs", f"An event waits 0 to {MAX_BATCH_WAIT_MS:,} ms for others.")


def to_document(rules: Rules) -> dict[str, Any]:
    """The rules that are not as they would be anyway, in the words of the API."""
    plain = Rules()
    document: dict[str, Any] = {}
    if rules.filter != plain.filter:
        document["filter"] = _filter_document(rules.filter)
    if rules.batch is not None:
        document["batch"] = {"maxEvents": rules.batch.max_events, "maxWaitMs": rules.batch.max_wait_ms}
    if rules.notification is not None:
        document["notification"] = notifications.to_document(rules.notification)
    for name, attribute in _PLAIN.items():
        value = getattr(rules, attribute)
        if value != getattr(plain, attribute):
            document[name] = value
    return document


def from_document(document: Mapping[str, Any]) -> Rules:
    """What `to_document` wrote."""
    given = {attribute: document[name] for name, attribute in _PLAIN.items() if name in document}
    if "filter" in document:
        given["filter"] = _filter(document["filter"])
    if "batch" in document:
        given["batch"] = Batch(document["batch"]["maxEvents"], document["batch"]["maxWaitMs"])
    if "notification" in document:
        given["notification"] = notifications.from_document(document["notification"])
    return Rules(**given)


_PLAIN = {
    "where": "where",
    "format": "format",
    "includeMetadata": "include_metadata",
    "includeUrl": "include_url_seconds",
    "coalesce": "coalesce",
    "rateLimit": "rate_limit",
    "maxConcurrency": "max_concurrency",
}
_LISTS = {"prefix": "prefix", "suffix": "suffix", "contentType": "content_type"}
_VALUES = {"minSize": "min_size", "maxSize": "max_size", "metadata": "metadata", "tags": "tags"}


def _filter_document(wanted: Filter) -> dict[str, Any]:
    document: dict[str, Any] = {name: list(getattr(wanted, attribute)) for name, attribute in _LISTS.items()}
    document |= {name: getattr(wanted, attribute) for name, attribute in _VALUES.items()}
    return {name: value for name, value in document.items() if value not in ([], {}, None)}


def _filter(document: Mapping[str, Any]) -> Filter:
    given: dict[str, Any] = {attribute: tuple(document.get(name, ())) for name, attribute in _LISTS.items()}
    given |= {attribute: document[name] for name, attribute in _VALUES.items() if name in document}
    return Filter(**given)
