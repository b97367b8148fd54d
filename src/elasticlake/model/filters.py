"""Filters: which of the events that a webhook asked for it is told of, by what the event says of its object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import Event
from elasticlake.record import record

MAX_ALTERNATIVES = 100
MAX_ALTERNATIVE_BYTES = 1024
MAX_SIZE_BYTES = 2**63 - 1

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$%&'+.^_`|~-]+/(?:\*|[A-Za-z0-9!#$%&'+.^_`|~-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events match: every clause that is given must hold, and of a clause's alternatives any one."""

    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    content_type: tuple[str, ...] = ()
    """Media types; `image/*` is every kind of image."""
    min_size: int | None = None
    """Bytes; an object of just this size matches."""
    max_size: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """User metadata that the object must have: each name, with exactly this value."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags that the object must have. Objects have none yet, so nothing matches."""


@record
class Refusal:
    """The first clause that an event does not fulfil (as the API writes it), and the value that was compared."""

    clause: str
    value: Any
    error: str | None = None
    """Why the clause could not even be judged."""


@record
class Clause:
    """One thing that a filter asks for."""

    name: str
    holds: Callable[[Event], bool]
    value: Callable[[Event], Any]


def require_filter(wanted: Filter) -> Filter:
    """`wanted`, if it can be kept; raises `InvalidWebhook` that names the clause."""
    for name, alternatives in (("prefix", wanted.prefix), ("suffix", wanted.suffix)):
        _require_texts(f"filter.{name}", alternatives)
    _require_texts("filter.contentType", wanted.content_type)
    for media_type in wanted.content_type:
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise InvalidWebhook(
                "filter.contentType", f'{media_type!r} is no media type: write "image/png", or "image/*" for any image.'
            )
    _require_pairs("filter.metadata", wanted.metadata)
    _require_pairs("filter.tags", wanted.tags)
    _require_sizes(wanted.min_size, wanted.max_size)
    return wanted


def _require_texts(name: str, texts: tuple[str, ...]) -> None:
    if len(texts) > MAX_ALTERNATIVES:
        raise InvalidWebhook(name, f"It has {len(texts)} alternatives; the most is {MAX_ALTERNATIVES}.")
    for text in texts:
        if not text:
            raise InvalidWebhook(name, "An empty text fits everything: leave it out.")
        _require_short(name, text)


def _require_pairs(name: str, pairs: Mapping[str, str]) -> None:
    if len(pairs) > MAX_ALTERNATIVES:
        raise InvalidWebhook(name, f"It names {len(pairs)}; the most is {MAX_ALTERNATIVES}.")
    for key, value in pairs.items():
        if not key:
            raise InvalidWebhook(name, "A name is empty.")
        _require_short(name, key)
        _require_short(name, value)


def _require_short(name: str, text: str) -> None:
    size_bytes = len(text.encode())
    if size_bytes > MAX_ALTERNATIVE_BYTES:
        raise InvalidWebhook(name, f"A text of it has {size_bytes} bytes; the most is {MAX_ALTERNATIVE_BYTES}.")


def _require_sizes(least: int | None, most: int | None) -> None:
    for name, size_bytes in (("filter.minSize", least), ("filter.maxSize", most)):
        if size_bytes is not None and not 0 <= size_bytes <= MAX_SIZE_BYTES:
            raise InvalidWebhook(name, f"It is a number of bytes, 0 to {MAX_SIZE_BYTES}.")
    if least is not None and most is not None and least > most:
        raise InvalidWebhook("filter.minSize", f"It is {least}, more than maxSize ({most}): nothing would match.")


def compile_filter(wanted: Filter) -> tuple[Clause, ...]:
    """What is asked for, the cheapest first; none for a filter that lets everything through."""
    clauses = [_key_clause("filter.prefix", bytes.startswith, wanted.prefix)] if wanted.prefix else []
    if wanted.suffix:
        clauses.append(_key_clause("filter.suffix", bytes.endswith, wanted.suffix))
    if wanted.content_type:
        clauses.append(_content_type_clause(wanted.content_type))
    least, most = wanted.min_size, wanted.max_size
    if least is not None:
        clauses.append(Clause("filter.minSize", lambda event: event.size_bytes >= least, _size))
    if most is not None:
        clauses.append(Clause("filter.maxSize", lambda event: event.size_bytes <= most, _size))
    if wanted.metadata:
        clauses.append(_metadata_clause(wanted.metadata))
    if wanted.tags:
        clauses.append(Clause("filter.tags", lambda event: False, lambda event: {}))
    return tuple(clauses)


def refusal(clauses: tuple[Clause, ...], event: Event) -> Refusal | None:
    """Which of the clauses refuses the event; None if it matches."""
    for clause in clauses:
        if not clause.holds(event):
            return Refusal(clause.name, clause.value(event))
    return None


def _key_clause(name: str, has: Callable[[bytes, tuple[bytes, ...]], bool], alternatives: tuple[str, ...]) -> Clause:
    # Keys are UTF-8, in which a text begins or ends with another just where its bytes do.
    wanted = tuple(alternative.encode() for alternative in alternatives)
    return Clause(name, lambda event: has(event.key, wanted), lambda event: event.key.decode())


def _content_type_clause(alternatives: tuple[str, ...]) -> Clause:
    lower = [alternative.lower() for alternative in alternatives]
    exact = frozenset(lower)
    families = tuple(media_type[:-1] for media_type in lower if media_type.endswith("/*"))

    def holds(event: Event) -> bool:
        media_type = event.content_type.partition(";")[0].strip().lower()
        return media_type in exact or media_type.startswith(families)

    return Clause("filter.contentType", holds, lambda event: event.content_type)


def _metadata_clause(wanted: Mapping[str, str]) -> Clause:
    # S3 sends the names as HTTP headers, whose case means nothing; they are stored in lower case.
    named = {name.lower(): value for name, value in wanted.items()}

    def holds(event: Event) -> bool:
        found = event.metadata or {}
        return all(found.get(name) == value for name, value in named.items())

    def value(event: Event) -> dict[str, str | None]:
        found = event.metadata or {}
        return {name: found.get(name) for name in named}

    return Clause("filter.metadata", holds, value)


def _size(event: Event) -> int:
    return event.size_bytes
