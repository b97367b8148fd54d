"""Digests against published values and hashlib, and combinations against the whole."""

import hashlib
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.blobs import digests

VECTORS = {
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
}
CRCS = ("crc32", "crc32c", "crc64nvme")


def digest_of(algorithm: str, data: bytes) -> bytes:
    made = digests.Digests([algorithm])
    made.update(data)
    return made.digest(algorithm)


@pytest.mark.parametrize("algorithm", sorted(digests.ALGORITHMS))
def test_the_check_value_of_each_algorithm(algorithm: str) -> None:
    assert digest_of(algorithm, b"123456789").hex() == VECTORS[algorithm]
    assert len(digest_of(algorithm, b"")) == digests.DIGEST_SIZES_BYTES[algorithm]


def test_a_leading_zero_is_kept() -> None:
    # 0x00000000 is the CRC of nothing.
    assert [digest_of(name, b"").hex() for name in CRCS] == ["0" * 8, "0" * 8, "0" * 16]


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=6))
def test_streaming_equals_hashing_the_whole(data: bytes, cuts: list[int]) -> None:
    made = digests.Digests(sorted(digests.ALGORITHMS))
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for index, (start, end) in enumerate(pairwise(places)):
        piece = data[start:end]
        made.update((piece, bytearray(piece), memoryview(b"x" + piece)[1:])[index % 3])
    for algorithm in digests.ALGORITHMS:
        assert made.digest(algorithm) == digest_of(algorithm, data)
    assert made.digest("sha256") == hashlib.sha256(data).digest()
    assert made.digest("crc32") == zlib.crc32(data).to_bytes(4, "big")


def test_a_digest_may_be_read_on_the_way() -> None:
    made = digests.Digests(["crc32c", "md5"])
    made.update(b"1234")
    assert made.digest("md5") == hashlib.md5(b"1234").digest()
    made.update(b"56789")
    assert made.digest("crc32c").hex() == VECTORS["crc32c"]


def test_unknown_and_unwanted_algorithms() -> None:
    with pytest.raises(ValueError, match="crc16"):
        digests.Digests(["md5", "crc16"])
    with pytest.raises(KeyError):
        digests.Digests(["md5"]).digest("sha1")


@pytest.mark.parametrize("algorithm", CRCS)
@given(parts=st.lists(st.binary(max_size=200), max_size=8))
def test_combined_parts_equal_the_whole(algorithm: str, parts: list[bytes]) -> None:
    combined = digests.combine(algorithm, [(digest_of(algorithm, part), len(part)) for part in parts])
    assert combined == digest_of(algorithm, b"".join(parts))


@pytest.mark.parametrize("algorithm", CRCS)
def test_combining_parts_past_four_gibibytes(algorithm: str) -> None:
    """Hashing 8 GiB to compare with would take seconds; that the grouping makes no difference shows as much."""
    part, size_bytes = digest_of(algorithm, b"x" * 1000), 1000
    for _ in range(23):
        part, size_bytes = digests.combine(algorithm, [(part, size_bytes)] * 2), size_bytes * 2
    assert size_bytes > 1 << 32
    tail = digest_of(algorithm, b"tail")
    left = digests.combine(
        algorithm, [(digests.combine(algorithm, [(part, size_bytes)] * 2), 2 * size_bytes), (tail, 4)]
    )
    right_tail = digests.combine(algorithm, [(part, size_bytes), (tail, 4)])
    assert left == digests.combine(algorithm, [(part, size_bytes), (right_tail, size_bytes + 4)])


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_only_crcs_combine(algorithm: str) -> None:
    with pytest.raises(ValueError, match=algorithm):
        digests.combine(algorithm, [])


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "crc32", "crc32c"])
def test_a_composite_is_the_digest_of_digests(algorithm: str) -> None:
    parts = [digest_of(algorithm, part) for part in (b"one", b"two")]
    assert digests.composite(algorithm, parts) == digest_of(algorithm, parts[0] + parts[1])


@pytest.mark.parametrize("algorithm", ["crc64nvme", "md5", "crc16"])
def test_algorithms_without_a_composite(algorithm: str) -> None:
    with pytest.raises(ValueError, match=algorithm):
        digests.composite(algorithm, [])


def test_multipart_etag() -> None:
    parts = [hashlib.md5(bytes(5 << 20)).digest(), hashlib.md5(b"tail").digest()]
    assert digests.multipart_etag(parts) == f"{hashlib.md5(b''.join(parts)).hexdigest()}-2"
    assert digests.multipart_etag(parts[:1]).endswith("-1")
