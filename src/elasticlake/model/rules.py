"""What a webhook's owner may ask for beside where and of what it is told: which events, in which form, how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from elasticlake.errors import InvalidWebhook

Format = Literal["elasticlake", "cloudevents", "s3"]
FORMATS: tuple[Format, ...] = get_args(Format)

MAX_RATE = 100_000.0
MAX_CONCURRENCY = 32
MAX_BATCH_EVENTS = 1000
MAX_BATCH_WAIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events match: every clause that is given must hold, and of a clause's alternatives any one."""

    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    content_type: tuple[str, ...] = ()
    """Media types; `image/*` is every kind of image."""
    min_size: int | None = None
    """Bytes."""
    max_size: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """User metadata that the object must have."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """How many events may go in one request, and how long the first of them waits for more."""

    max_events: int
    max_wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """A webhook's rules, each with the value that it has where its owner says nothing."""

    filter: Filter = Filter()
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


def require_rules(rules: Rules) -> Rules:
    """`rules`, if they can be kept; raises `InvalidWebhook` that names the field."""
    if rules.rate_limit is not None and not 0.01 <= rules.rate_limit <= MAX_RATE:
        raise InvalidWebhook("rateLimit", f"It is a number of deliveries a second, 0.01 to {MAX_RATE:,.0f}.")
    if rules.max_concurrency is not None and not 1 <= rules.max_concurrency <= MAX_CONCURRENCY:
        raise InvalidWebhook("maxConcurrency", f"It is 1 to {MAX_CONCURRENCY} attempts at once.")
    return rules


def to_document(rules: Rules) -> dict[str, Any]:
    """The rules that are not as they would be anyway, in the words of the API."""
    plain = Rules()
    document: dict[str, Any] = {}
    if rules.filter != plain.filter:
        document["filter"] = _filter_document(rules.filter)
    if rules.batch is not None:
        document["batch"] = {"maxEvents": rules.batch.max_events, "maxWaitMs": rules.batch.max_wait_ms}
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
