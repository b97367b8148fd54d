"""How statements and values look to PostgreSQL: `$n` for `?`, parameters in text or binary, results in binary.

Source: https://www.postgresql.org/docs/current/protocol-message-formats.html and the types' `*_send` functions.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from elasticlake.errors import InvalidInput
from elasticlake.metadata.database import Value

TEXT, BINARY = 0, 1
_BYTEA, _INT8, _INT4, _TEXT, _FLOAT8, _BOOL, _VARCHAR, _UNKNOWN, _NAME, _VOID = (
    17, 20, 23, 25, 701, 16, 1043, 705, 19, 2278,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Array:
    """Many values as one parameter, for `unnest` and `= ANY`."""

    kind: Literal["text", "bytea"]
    values: Sequence[str | bytes]


Parameter = Value | Array
Encoded = tuple[list[bytes | None], list[int]]
Loader = Callable[[bytes], Value]


def numbered(sql: str) -> str:
    """The statement with `$1`, `$2`, … for its `?`s. A literal question mark occurs in none of ours."""
    head, *rest = sql.split("?")
    return head + "".join(f"${number}{piece}" for number, piece in enumerate(rest, start=1))


def encoded(parameters: Sequence[Parameter]) -> Encoded:
    """The parameters' bytes, and whether each is text or binary; raises `InvalidInput` for text that PostgreSQL cannot
    hold."""
    values: list[bytes | None] = []
    formats: list[int] = []
    for parameter in parameters:
        if isinstance(parameter, str):
            values.append(_text(parameter))
            formats.append(TEXT)
        elif parameter is None:
            values.append(None)
            formats.append(TEXT)
        elif isinstance(parameter, bytes):
            values.append(parameter)
            formats.append(BINARY)
        elif isinstance(parameter, Array):
            values.append(_array(parameter))
            formats.append(BINARY)
        else:
            values.append(repr(parameter).encode())
            formats.append(TEXT)
    return values, formats


def _text(value: str) -> bytes:
    if "\x00" in value:
        raise InvalidInput("value", "A NUL character cannot be stored or looked up.")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InvalidInput("value", "The text is not valid Unicode.") from None


def _array(array: Array) -> bytes:
    if not array.values:
        return struct.pack("!iii", 0, 0, _TEXT if array.kind == "text" else _BYTEA)
    header = struct.pack("!iiiii", 1, 0, _TEXT if array.kind == "text" else _BYTEA, len(array.values), 1)
    pieces = [header]
    for value in array.values:
        data = _text(value) if isinstance(value, str) else value
        pieces += (struct.pack("!i", len(data)), data)
    return b"".join(pieces)


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _float(data: bytes) -> float:
    return float(struct.unpack("!d", data)[0])


def _boolean(data: bytes) -> bool:
    return data != b"\x00"


_LOADERS: dict[int, Loader] = {
    _BYTEA: bytes,
    _INT8: _integer,
    _INT4: _integer,
    _FLOAT8: _float,
    _BOOL: _boolean,
    _VOID: lambda data: None,
    **dict.fromkeys((_TEXT, _VARCHAR, _UNKNOWN, _NAME), bytes.decode),
}


def loader_of(oid: int) -> Loader:
    """What makes a Python value of a result column of that type; raises LookupError for a type that we use nowhere."""
    return _LOADERS[oid]
