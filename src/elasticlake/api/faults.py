"""What is wrong with a value that a caller sent, in our words instead of the validating library's."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

# By the library's types of errors. What is not here says in its own message enough.
_WORDS = {
    "missing": "This is required.",
    "bool": "Write true or false.",
    "datetime": "Write RFC 3339, such as 2026-11-25T12:00:00Z.",
    "dict": "Write an object, {{…}}.",
    "finite": "Write a number.",
    "float": "Write a number.",
    "greater_than_equal": "Write {ge} or more.",
    "int": "Write a whole number.",
    "less_than_equal": "Write {le} or less.",
    "list": "Write a list, […].",
    "literal_error": "Write {expected}.",
    "model": "Write an object, {{…}}.",
    "string_type": "Write a text.",
    "timezone": "Write RFC 3339, such as 2026-11-25T12:00:00Z.",
}


def in_words(fault: Mapping[str, Any], body: Any = None) -> str:
    """A sentence for a fault as pydantic describes it. `body` is the type of the request's body, if it has one: a
    member that nothing knows is told together with those that there are."""
    kind, location = str(fault["type"]), fault["loc"]
    if kind == "extra_forbidden":
        return _unknown(str(location[-1]), _members(body, location[1:-1]))
    words = _WORDS.get(kind) or _WORDS.get(kind.split("_")[0])
    return str(fault["msg"]) if words is None else words.format(**fault.get("ctx", {}))


def _unknown(name: str, members: Sequence[str]) -> str:
    there_are = f"; there are: {', '.join(members)}" if members else ""
    return f"There is no field '{name}'{there_are}.".encode(errors="replace").decode()


def _members(kind: Any, path: Sequence[str | int]) -> list[str]:
    """The members of the document at `path` inside a body of this type."""
    model = _model(kind)
    for step in path:
        if model is not None and isinstance(step, str):
            by_alias = {field.alias or name: field for name, field in model.model_fields.items()}
            model = _model(by_alias[step].annotation) if step in by_alias else None
    return [] if model is None else [field.alias or name for name, field in model.model_fields.items()]


def _model(kind: Any) -> type[BaseModel] | None:
    """The document's class that a type is or wraps, such as `list[Document] | None`."""
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return kind
    return next((model for part in get_args(kind) if (model := _model(part)) is not None), None)
