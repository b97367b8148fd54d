"""A webhook's rules as the API writes them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from elasticlake.api.documents import Body, Document
from elasticlake.api.values import (
    Alternatives,
    BatchEvents,
    BatchWait,
    Bytes,
    Concurrency,
    Expression,
    Flag,
    LinkSeconds,
    MediaTypes,
    Pairs,
    Rate,
)
from elasticlake.model.filters import Filter
from elasticlake.model.rules import Batch, Format, Rules


class FilterBody(Body):
    """Which events match: every clause given must hold; of a list, any one."""

    prefix: Alternatives = Field(default=[], examples=[["uploads/"]], description="How the key begins.")
    suffix: Alternatives = Field(default=[], examples=[[".jpg", ".png"]], description="How the key ends.")
    content_type: MediaTypes = Field(default=[], examples=[["image/*"]], description="Media types, or `type/*`.")
    min_size: Bytes | None = None
    max_size: Bytes | None = None
    metadata: Pairs = Field(default={}, description="User metadata that the object must have.")
    tags: Pairs = Field(default={}, description="Tags that the object must have.")

    def to_filter(self) -> Filter:
        return Filter(
            tuple(self.prefix),
            tuple(self.suffix),
            tuple(self.content_type),
            self.min_size,
            self.max_size,
            self.metadata,
            self.tags,
        )


class BatchBody(Body):
    """Several events in one request: as many as have come when the first of them has waited `maxWaitMs`."""

    max_events: BatchEvents = Field(examples=[100], description="1 to 1,000.")
    max_wait_ms: BatchWait = Field(default=0, examples=[500], description="Milliseconds.")


class RulesBody(Body):
    """What a webhook's owner may ask for; null is as it would be without."""

    filter: FilterBody | None = Field(default=None, description="Which of the events match.")
    where: Expression | None = Field(
        default=None, examples=["object.size > 1048576"], description="A CEL expression over the payload."
    )
    format: Format | None = Field(default=None, description="The envelope; by default `elasticlake`.")
    include_metadata: Flag | None = Field(default=None, description="Put the object's user metadata in the payload.")
    include_url: LinkSeconds | None = Field(
        default=None, examples=[300], description="Put a presigned GET URL that lives so many seconds in the payload."
    )
    coalesce: Flag | None = Field(default=None, description="Of a key's waiting events, send only the latest.")
    rate_limit: Rate | None = Field(default=None, examples=[50], description="Attempts a second, at most.")
    max_concurrency: Concurrency | None = Field(default=None, examples=[8], description="Attempts at once, at most.")
    batch: BatchBody | None = Field(default=None, description="Send several events in one request.")

    def given_rules(self) -> dict[str, Any]:
        """The fields of `Rules` that the body sets, null as what it would be without."""
        plain = Rules()
        given: dict[str, Any] = {}
        for name in self.model_fields_set & RULES.keys():
            value, attribute = getattr(self, name), RULES[name]
            given[attribute] = getattr(plain, attribute) if value is None else _plain(value)
        return given


RULES = {name: {"include_url": "include_url_seconds"}.get(name, name) for name in RulesBody.model_fields}
"""The body's fields, and what `Rules` calls them."""


def _plain(value: Any) -> Any:
    if isinstance(value, FilterBody):
        return value.to_filter()
    return Batch(value.max_events, value.max_wait_ms) if isinstance(value, BatchBody) else value


class FilterDocument(Document):
    """The clauses of a filter."""

    prefix: list[str]
    suffix: list[str]
    content_type: list[str]
    min_size: int | None
    max_size: int | None
    metadata: dict[str, str]
    tags: dict[str, str]


class BatchDocument(Document):
    """How events are gathered."""

    max_events: int
    max_wait_ms: int


class RulesDocument(Document):
    """A webhook's rules."""

    filter: FilterDocument | None
    where: str | None
    format: Format
    include_metadata: bool
    include_url: int | None
    coalesce: bool
    rate_limit: float | None
    max_concurrency: int | None
    batch: BatchDocument | None


def rules_members(rules: Rules) -> dict[str, Any]:
    """The members of a `RulesDocument`."""
    wanted, batch = rules.filter, rules.batch
    return {
        "filter": None
        if wanted == Filter()
        else FilterDocument(
            prefix=list(wanted.prefix),
            suffix=list(wanted.suffix),
            content_type=list(wanted.content_type),
            min_size=wanted.min_size,
            max_size=wanted.max_size,
            metadata=dict(wanted.metadata),
            tags=dict(wanted.tags),
        ),
        "where": rules.where,
        "format": rules.format,
        "include_metadata": rules.include_metadata,
        "include_url": rules.include_url_seconds,
        "coalesce": rules.coalesce,
        "rate_limit": rules.rate_limit,
        "max_concurrency": rules.max_concurrency,
        "batch": BatchDocument(max_events=batch.max_events, max_wait_ms=batch.max_wait_ms) if batch else None,
    }
