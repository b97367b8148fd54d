"""Additional checksums of objects and parts (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

from elasticlake.blobs.digests import Digests, combine, composite
from elasticlake.model.objects import Checksum, ChecksumType, Part

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
FULL_OBJECT_ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME")


def checksum_of(digests: Digests, algorithm: str | None) -> Checksum | None:
    """The checksum of one body; `algorithm` is S3's name (`CRC32C`), None for none."""
    if algorithm is None:
        return None
    return Checksum(algorithm, b64encode(digests.digest(algorithm.lower())).decode())


def default_type(algorithm: str) -> ChecksumType:
    """What a multipart upload's checksum covers if its client does not say."""
    return "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"


def checksum_of_parts(algorithm: str, kind: ChecksumType, parts: Sequence[Part]) -> Checksum | None:
    """The checksum of a completed upload; None if a part has none to combine."""
    if any(part.checksum is None for part in parts):
        return None
    values = [b64decode(part.checksum or "") for part in parts]
    if kind == "COMPOSITE":
        digest = composite(algorithm.lower(), values)
        return Checksum(algorithm, f"{b64encode(digest).decode()}-{len(parts)}", kind)
    sizes = [part.size_bytes for part in parts]
    return Checksum(
        algorithm, b64encode(combine(algorithm.lower(), list(zip(values, sizes, strict=True)))).decode(), kind
    )
