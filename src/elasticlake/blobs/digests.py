"""Digests: an object's MD5 and S3 checksums, taken as its bytes pass, and those of a multipart object from its parts'.

Source: "Checking object integrity in Amazon S3", Amazon S3 User Guide. CRCs are big-endian bytes, which is what S3
base64-encodes.
"""

import hashlib
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from awscrt import checksums

Data = bytes | bytearray | memoryview


class _Digest(Protocol):
    def update(self, data: Data, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc:
    """A CRC with hashlib's interface."""

    __slots__ = ("_function", "_size_bytes", "_value")

    def __init__(self, function: Callable[[bytes, int], int], size_bytes: int) -> None:
        self._function = function
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: Data, /) -> None:
        # awscrt reads any contiguous buffer, though its annotation says bytes: a view is not copied.
        self._value = self._function(data, self._value)  # type: ignore[arg-type]

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size_bytes, "big")


_FACTORIES: dict[str, Callable[[], _Digest]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "crc32": lambda: _Crc(zlib.crc32, 4),
    "crc32c": lambda: _Crc(checksums.crc32c, 4),
    "crc64nvme": lambda: _Crc(checksums.crc64nvme, 8),
}
_COMBINERS: dict[str, Callable[[int, int, int], int]] = {
    "crc32": checksums.combine_crc32,
    "crc32c": checksums.combine_crc32c,
    "crc64nvme": checksums.combine_crc64nvme,
}
# S3 defines no checksum of checksums for CRC-64/NVME: a multipart object has that of its whole bytes.
_COMPOSITES = frozenset(("sha1", "sha256", "crc32", "crc32c"))

ALGORITHMS = frozenset(_FACTORIES)
DIGEST_SIZES_BYTES = {"md5": 16, "sha1": 20, "sha256": 32, "crc32": 4, "crc32c": 4, "crc64nvme": 8}
"""How long each algorithm's digest is; what a client sends has to be so long."""


class Digests:
    """Several digests of one stream of bytes, fed by one thread at a time."""

    def __init__(self, algorithms: Collection[str]) -> None:
        """Raises ValueError for an algorithm that is not in `ALGORITHMS`."""
        unknown = set(algorithms) - ALGORITHMS
        if unknown:
            raise ValueError(f"unknown digest algorithms: {', '.join(sorted(unknown))}")
        self._digests = {name: _FACTORIES[name]() for name in algorithms}

    def update(self, data: Data) -> None:
        """Add the next bytes."""
        for digest in self._digests.values():
            digest.update(data)

    def digest(self, name: str) -> bytes:
        """The digest of the bytes so far; more may follow. Raises KeyError unless it was asked for at the start."""
        return self._digests[name].digest()


def combine(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The CRC of a whole from its parts' (digest, size in bytes), in order, without their bytes.

    Raises ValueError for an algorithm that cannot do so.
    """
    combiner = _COMBINERS.get(algorithm)
    if combiner is None:
        raise ValueError(f"{algorithm} of a whole does not follow from its parts'")
    value = 0
    for digest, size_bytes in parts:
        value = combiner(value, int.from_bytes(digest, "big"), size_bytes)
    return value.to_bytes(DIGEST_SIZES_BYTES[algorithm], "big")


def composite(algorithm: str, digests: Iterable[bytes]) -> bytes:
    """A multipart object's composite checksum: the digest of its parts' digests (S3 writes `-N` after it).

    Raises ValueError for an algorithm that S3 has no composite of.
    """
    if algorithm not in _COMPOSITES:
        raise ValueError(f"there is no composite {algorithm} checksum")
    return _digest_of(algorithm, digests)


def multipart_etag(digests: Sequence[bytes]) -> str:
    """A multipart object's ETag, unquoted: the hex MD5 of its parts' MD5s and their number."""
    return f"{_digest_of('md5', digests).hex()}-{len(digests)}"


def _digest_of(algorithm: str, digests: Iterable[bytes]) -> bytes:
    whole = _FACTORIES[algorithm]()
    whole.update(b"".join(digests))
    return whole.digest()
