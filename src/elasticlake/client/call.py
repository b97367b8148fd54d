"""One call of the REST API, as data: both clients send the same, and read the same answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

T = TypeVar("T")

_PARAMETER = re.compile(r"\{(\w+)\}")


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset.UNSET
"""An argument that was not given: None is a value of its own, which takes something away."""

Given: TypeAlias = T | Unset


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """What to ask for. `answer` is the type of the answer's document, None where there is none.

    `wait_seconds` is how long the server may hold back its answer.
    """

    method: str
    path: str
    answer: Any
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    wait_seconds: float = 0

    @property
    def is_repeatable(self) -> bool:
        """Whether doing it twice is doing it once (RFC 9110, 9.2.2)."""
        return self.method in ("GET", "PUT", "DELETE")

    def with_query(self, **more: str) -> Call[T]:
        """The same call with other query parameters."""
        query = {**self.query, **more}
        return Call(self.method, self.path, self.answer, query, self.body, self.wait_seconds)


def make_call(
    method: str,
    template: str,
    answer: Any,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Call[Any]:
    """The call of an operation. Raises ValueError for a name that would change the path."""
    given = {name: value for name, value in (query or {}).items() if value is not UNSET and value is not None}
    wait = given.get("wait", 0)
    return Call(
        method,
        _PARAMETER.sub(lambda found: _segment((path or {})[found[1]]), template),
        answer,
        {name: _text(value) for name, value in given.items()},
        None if body is None else to_json(body),
        float(wait) if isinstance(wait, int | float) else 0,
    )


def to_json(value: Any) -> Any:
    """The value as JSON has it: models with their members in camelCase, times as RFC 3339, without what is unset."""
    if is_dataclass(value) and not isinstance(value, type):
        members = {camel(one.name): getattr(value, one.name) for one in fields(value)}
        return {name: to_json(member) for name, member in members.items() if member is not None and member is not UNSET}
    if isinstance(value, Mapping):
        return {name: to_json(member) for name, member in value.items() if member is not UNSET}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return _text(value) if isinstance(value, datetime) else value


def _segment(text: str) -> str:
    if text.strip() in ("", ".", ".."):
        raise ValueError(f"{text!r} is no name")
    return quote(text, safe="")


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        # A time without a zone is taken as the machine's own, as `datetime.timestamp` does.
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)


def camel(name: str) -> str:
    """A field's name as the API writes it: `size_bytes` is `sizeBytes`."""
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in rest)
