"""Whole numbers in as few bytes as they need: seven bits a byte, the lowest first (LEB128)."""

from __future__ import annotations

MAX_BYTES = 9


def encode(number: int) -> bytes:
    """`number`, which is not negative and has at most 63 bits."""
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def read(data: bytes) -> tuple[int, bytes]:
    """The number that `data` begins with, and what follows it; raises ValueError or IndexError if there is none."""
    number = 0
    for index in range(MAX_BYTES):
        number |= (data[index] & 0x7F) << (7 * index)
        if data[index] < 0x80:
            return number, data[index + 1 :]
    raise ValueError("number too long")
