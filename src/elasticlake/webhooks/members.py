"""The members of a JSON object that somebody else wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from elasticlake.webhooks.errors import InvalidPayload


@dataclass(frozen=True, slots=True)
class Members:
    """Each by its name and of its type; raises `InvalidPayload` for what is of another. None and absent are one, and
    members that nobody asks for may be anything."""

    document: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of(cls, document: Any, path: str = "") -> Members:
        if not isinstance(document, dict):
            raise InvalidPayload(f"{path.rstrip('.') or 'The body'} is no JSON object.")
        return cls(document, path)

    def text(self, name: str) -> str | None:
        value = self.document.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self._wrong(name, "a string, and required")
        return value

    def count(self, name: str) -> int | None:
        value = self.document.get(name)
        # To Python, true is a number.
        if value is not None and (type(value) is not int or value < 0):
            raise self._wrong(name, "a whole number")
        return value

    def flag(self, name: str) -> bool:
        value = self.document.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return bool(value)

    def time(self, name: str) -> datetime:
        try:
            value = datetime.fromisoformat(self.required_text(name))
        except ValueError:
            raise self._wrong(name, "a time") from None
        if value.tzinfo is None:
            raise self._wrong(name, "a time with a zone")
        return value.astimezone(UTC)

    def texts(self, name: str) -> dict[str, str] | None:
        """An object whose values are all strings."""
        value = self.document.get(name)
        if value is None:
            return None
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise self._wrong(name, "an object of strings")
        return value

    def inner(self, name: str) -> Members:
        return Members.of(self.document.get(name), f"{self.path}{name}.")

    def has(self, name: str) -> bool:
        return self.document.get(name) is not None

    def _wrong(self, name: str, kind: str) -> InvalidPayload:
        return InvalidPayload(f"{self.path}{name} must be {kind}.")
