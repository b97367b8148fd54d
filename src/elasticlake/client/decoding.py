"""From a document to the model that it is. Members that this version does not know are passed over, so that a client
works with a newer server."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from elasticlake.client import models
from elasticlake.client.call import camel
from elasticlake.client.errors import UnexpectedAnswer


def decode(kind: Any, value: Any) -> Any:
    """`value` as `kind`; raises `UnexpectedAnswer` where it is not that."""
    try:
        return _decode(kind, value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnexpectedAnswer(f"The answer is no {_name(kind)}: {error!r}.") from None


def _decode(kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else _decode_one_of(get_args(kind), value)
    if value is None:
        return _nothing(kind, origin)
    if origin is list:
        return [_decode(get_args(kind)[0], item) for item in value]
    if origin is dict:
        return {str(name): _decode(get_args(kind)[1], member) for name, member in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return _decode_model(kind, value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is float:
        return float(value)
    # A literal that a newer server has made is shown as it is.
    return value if origin is Literal else _plain(kind, value)


def _nothing(kind: Any, origin: Any) -> None:
    """A member that a newer server may leave empty; but no document, and no list to go through."""
    if origin in (list, dict) or is_dataclass(kind):
        raise TypeError("null")


def _decode_one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    """The first that fits: of models, the first all of whose required members are there."""
    for kind in kinds:
        if isinstance(kind, type) and is_dataclass(kind):
            if isinstance(value, dict) and all(name in value for name, _, required in _members(kind) if required):
                return _decode_model(kind, value)
        elif kind is not type(None):
            return _decode(kind, value)
    raise TypeError(type(value).__name__)


def _decode_model(kind: Any, document: Any) -> Any:
    given = {
        field_name: _decode(hint, document[name])
        for name, (field_name, hint), required in _members(kind)
        if required or name in document
    }
    return kind(**given)


def _plain(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} in place of {kind.__name__}")
    return value


@cache
def _members(kind: Any) -> tuple[tuple[str, tuple[str, Any], bool], ...]:
    """Of a model: each member's name in JSON, its field with the type, and whether it must be there."""
    hints = get_type_hints(kind, vars(models))
    return tuple(
        (camel(one.name), (one.name, hints[one.name]), one.default is MISSING and one.default_factory is MISSING)
        for one in fields(kind)
    )


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))
