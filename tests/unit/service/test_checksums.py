"""Checksums of bodies and of completed uploads."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode

import pytest

from elasticlake.blobs.digests import Digests
from elasticlake.model.objects import Checksum, Part
from elasticlake.service.checksums import checksum_of, checksum_of_parts, default_type


def text(digest: bytes) -> str:
    return b64encode(digest).decode()


def crc32(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


def parts(bodies: list[bytes]) -> list[Part]:
    return [
        Part(number, "", len(body), "", 0, text(crc32(body))) for number, body in enumerate(bodies, start=1)
    ]  # fmt: skip


def test_of_one_body() -> None:
    digests = Digests({"md5", "sha1"})
    digests.update(b"body")
    assert checksum_of(digests, "SHA1") == Checksum("SHA1", text(hashlib.sha1(b"body").digest()), "FULL_OBJECT")
    assert checksum_of(digests, None) is None


@pytest.mark.parametrize("bodies", [[b"one"], [b"one", b"two", b"three"], [b"", b"x"]])
def test_of_parts(bodies: list[bytes]) -> None:
    whole = checksum_of_parts("CRC32", "FULL_OBJECT", parts(bodies))
    assert whole == Checksum("CRC32", text(crc32(b"".join(bodies))), "FULL_OBJECT")
    composite = checksum_of_parts("CRC32", "COMPOSITE", parts(bodies))
    expected = text(crc32(b"".join(map(crc32, bodies)))) + f"-{len(bodies)}"
    assert composite == Checksum("CRC32", expected, "COMPOSITE")


def test_a_part_without_one_leaves_the_whole_without() -> None:
    assert checksum_of_parts("CRC32", "COMPOSITE", [*parts([b"x"]), Part(2, "", 1, "", 0, None)]) is None


def test_default_types() -> None:
    assert default_type("CRC64NVME") == "FULL_OBJECT"
    assert {default_type(name) for name in ("CRC32", "CRC32C", "SHA1", "SHA256")} == {"COMPOSITE"}
