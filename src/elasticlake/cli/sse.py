"""Server-Sent Events, read (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What came up to an empty line: the last id so far ("" for none yet), and the data, byte for byte (None for a
    message without any, which tells of the id or that the other side is there)."""

    id: str
    data: bytes | None


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    """Each whole message of a stream that comes in any pieces; what follows the last empty line is dropped."""
    last_id, data = "", None
    for line in _lines(chunks):
        if not line:
            yield Message(last_id, data)
            data = None
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data = value if data is None else data + b"\n" + value
        elif name == b"id" and b"\x00" not in value:
            last_id = value.decode(errors="replace")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Only a line feed ends a line, alone or after a carriage return: JSON may hold whatever else text breaks at."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")
