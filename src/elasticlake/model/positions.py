"""How far a reader of many buckets' logs has come, as text that it hands back to go on there."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping

from elasticlake.errors import InvalidInput
from elasticlake.model import varints
from elasticlake.record import record

MAX_BUCKETS = 1000
"""As many take some 5 KiB, and proxies take header lines of 8 KiB."""
EVERYTHING = "0"
_FORM = b"\x01"


@record
class Positions:
    """A bucket that `sequences` names (by its id) was read up to that sequence, any other up to its last event before
    `boundary_ms`: of most buckets of a large lake nobody need write down a position, since nothing happens in them."""

    boundary_ms: int
    sequences: Mapping[int, int]

    def __str__(self) -> str:
        return _text(self._head() + _pairs(sorted(self.sequences.items()), 0))

    def moving(self, bucket_id: int) -> Callable[[int], str]:
        """Writes these positions with the sequence that it is given for the bucket: for one event after the other."""
        before = [pair for pair in sorted(self.sequences.items()) if pair[0] < bucket_id]
        beyond = [pair for pair in sorted(self.sequences.items()) if pair[0] > bucket_id]
        last_id = before[-1][0] if before else 0
        head = self._head() + _pairs(before, 0) + varints.encode(bucket_id - last_id)
        tail = _pairs(beyond, bucket_id)
        return lambda sequence: _text(head + varints.encode(sequence) + tail)

    @classmethod
    def parse(cls, text: str, field: str) -> Positions:
        """The positions that `text` is; `0` is the beginning of all logs. Raises `InvalidInput` that names `field`."""
        if text == EVERYTHING:
            return cls(0, {})
        try:
            data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            if not data.startswith(_FORM):
                raise ValueError
            boundary_ms, rest = varints.read(data[len(_FORM) :])
            parsed = cls(boundary_ms, _sequences(rest))
        except (ValueError, IndexError, binascii.Error):
            parsed = None
        if parsed is None or str(parsed) != text:
            raise InvalidInput(field, "This is no position of this stream: hand back the id of its last event.")
        return parsed

    def _head(self) -> bytes:
        return _FORM + varints.encode(self.boundary_ms)


def _pairs(pairs: Iterable[tuple[int, int]], last_id: int) -> bytes:
    """Ascending ids, each as its distance from the one before, with their sequences."""
    encoded = bytearray()
    for bucket_id, sequence in pairs:
        encoded += varints.encode(bucket_id - last_id) + varints.encode(sequence)
        last_id = bucket_id
    return bytes(encoded)


def _sequences(data: bytes) -> dict[int, int]:
    sequences, bucket_id = dict[int, int](), 0
    while data:
        distance, data = varints.read(data)
        bucket_id += distance
        sequences[bucket_id], data = varints.read(data)
        if len(sequences) > MAX_BUCKETS:
            raise ValueError
    return sequences


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii").rstrip("=")
