"""Handlers: which events each is for, and the function that takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from elasticlake.webhooks.event import EVENT_TYPES, Event

Function = Callable[[Event], Any]
"""Takes an event; what it returns does not matter, but is awaited if it can be."""
Texts = str | Iterable[str] | None
"""One, or several of which any will do; None for no condition."""


@dataclass(frozen=True, slots=True)
class Handler:
    """Every condition that is given must hold. An event that does not say what a condition asks for is not matched."""

    function: Function
    types: frozenset[str]
    prefix: tuple[str, ...] | None
    suffix: tuple[str, ...] | None
    content_type: tuple[str, ...] | None
    bucket: tuple[str, ...] | None

    @classmethod
    def of(
        cls, function: Function, types: Iterable[str], prefix: Texts, suffix: Texts, content_type: Texts, bucket: Texts
    ) -> Handler:
        media_types = _several(content_type)
        return cls(
            function,
            frozenset(types),
            _several(prefix),
            _several(suffix),
            None if media_types is None else tuple(one.lower() for one in media_types),
            _several(bucket),
        )

    def wants(self, event: Event) -> bool:
        if self.types and event.type not in self.types:
            return False
        if self.bucket is not None and event.bucket not in self.bucket:
            return False
        if event.object is None:
            return self.prefix is self.suffix is self.content_type is None
        key = event.object.key
        return (
            (self.prefix is None or key.startswith(self.prefix))
            and (self.suffix is None or key.endswith(self.suffix))
            and (self.content_type is None or _is_among(event.object.content_type, self.content_type))
        )


def require_types(types: Iterable[object]) -> None:
    """Raise ValueError for a type that no event has: its handler would wait for ever."""
    for given in types:
        if given not in EVENT_TYPES:
            raise ValueError(f"There is no event {given!r}; there are {', '.join(EVENT_TYPES)}.")


def require_runs(function: object) -> None:
    """Raise TypeError for a generator function: calling it runs none of it."""
    for called in (function, inspect.getattr_static(type(function), "__call__", None)):
        if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called):
            raise TypeError(f"{function!r} is a generator, which nobody runs: a handler must not yield.")


def is_unrun(returned: object) -> bool:
    """Whether a handler returned a generator instead of doing its work."""
    return inspect.isgenerator(returned) or inspect.isasyncgen(returned)


def _is_among(content_type: str | None, wanted: tuple[str, ...]) -> bool:
    """As a webhook's own filter has it: case and parameters do not matter, and `image/*` is every kind of image."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    return any(media_type == one or (one.endswith("/*") and media_type.startswith(one[:-1])) for one in wanted)


def _several(texts: Texts) -> tuple[str, ...] | None:
    return (texts,) if isinstance(texts, str) else None if texts is None else tuple(texts)
