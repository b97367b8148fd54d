"""The headers of a delivery, in whatever shape a framework has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from elasticlake.webhooks.errors import MalformedHeader, MissingHeader, RepeatedHeader

Headers = Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
"""A mapping, or pairs of name and value; names in any case."""

MESSAGE_ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
PAGE_SIGNATURE = "x-elasticlake-signature"
DELIVERY = "x-elasticlake-delivery"
ATTEMPT = "x-elasticlake-attempt"
REPLAY = "x-elasticlake-replay"
REDELIVERY = "x-elasticlake-redelivery"
OURS = frozenset({MESSAGE_ID, TIMESTAMP, SIGNATURE, PAGE_SIGNATURE, DELIVERY, ATTEMPT, REPLAY, REDELIVERY})


@dataclass(frozen=True, slots=True)
class Fields:
    """Those headers that a delivery has from us: each one's values, by its name in lower case."""

    values: Mapping[str, list[str]]

    @classmethod
    def of(cls, headers: Headers) -> Fields:
        """The fields among `headers`; raises TypeError where one of them is no text."""
        values: dict[str, list[str]] = {}
        for name, value in _pairs(headers):
            known = _text(name)
            # Beyond ASCII there are other letters whose lower case is one of ours.
            if known.isascii() and (known := known.lower()) in OURS:
                values.setdefault(known, []).append(_text(value).strip(" \t"))
        return cls(values)

    def has_any(self, names: Iterable[str]) -> bool:
        return not self.values.keys().isdisjoint(names)

    def single(self, name: str) -> str:
        """The header's one value, of ASCII; raises `HeaderError` otherwise."""
        found = self.values.get(name, [])
        if not found:
            raise MissingHeader(name)
        if len(found) > 1:
            raise RepeatedHeader(name)
        if not found[0] or not found[0].isascii():
            raise MalformedHeader(name)
        return found[0]

    def hint(self, name: str) -> str | None:
        """The value of a header that nothing depends on; None unless it is there once."""
        found = self.values.get(name, [])
        return found[0] if len(found) == 1 else None


def _pairs(headers: Any) -> Iterable[tuple[Any, Any]]:
    # Not all that have items are mappings (http.client's messages), and `items` also gives what is repeated.
    items = getattr(headers, "items", None)
    pairs: Iterable[tuple[Any, Any]] = headers if items is None else items()
    return pairs


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    raise TypeError(f"A header's name and value are str or bytes, not {type(value).__name__}.")
