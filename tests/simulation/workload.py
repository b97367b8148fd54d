"""What clients do to the store before it crashes: a fixed piece that does everything once, and seeded random ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.simulation.model import (
    Abort,
    Complete,
    Copy,
    CreateBucket,
    CreateUpload,
    Delete,
    DeleteBucket,
    DeleteMany,
    Model,
    Operation,
    Put,
    PutPart,
    SetAcl,
    SetBucketAcl,
)

Batch = list[Operation]
"""Operations under way at once; those of one batch touch different keys, so that their order does not matter."""

PLAIN = "plain-bucket"
NESTED = "lake1--pond1--nested"
BUCKETS = (PLAIN, NESTED)
KEYS = (b"a", b"b/1", b"b/2", "ü".encode(), b"z\x00")
LARGE_BYTES = 64 * 1024 + 1
"""One byte more than is kept inline."""


def small(text: str) -> bytes:
    return text.encode() * 3


def large(seed: int) -> bytes:
    return random.Random(seed).randbytes(LARGE_BYTES + seed % 100)


SHORT: list[Batch] = [
    [CreateBucket(PLAIN)],
    [Put(PLAIN, b"a", small("first"), {"colour": "red"})],
    [Put(PLAIN, b"b/1", large(1))],
    [Put(PLAIN, b"a", large(2))],
    [Put(PLAIN, b"b/1", small("second"), acl="public-read")],
    [Copy(PLAIN, b"a", PLAIN, b"copy")],
    [Copy(PLAIN, b"a", PLAIN, b"a", {"colour": "blue"})],
    [SetAcl(PLAIN, b"a", "public-read")],
    [Put(PLAIN, b"b/2", small("x")), Put(PLAIN, b"c", large(3)), Delete(PLAIN, b"b/1")],
    [CreateUpload(PLAIN, b"multi", "one")],
    [PutPart(PLAIN, b"multi", "one", 1, large(4))],
    [PutPart(PLAIN, b"multi", "one", 2, small("tail"))],
    [PutPart(PLAIN, b"multi", "one", 2, small("tale"))],
    [PutPart(PLAIN, b"multi", "one", 3, small("left out"))],
    [Complete(PLAIN, b"multi", "one", (1, 2))],
    [CreateUpload(PLAIN, b"multi", "two")],
    [PutPart(PLAIN, b"multi", "two", 1, small("given up"))],
    [Abort(PLAIN, b"multi", "two")],
    [Delete(PLAIN, b"copy")],
    [SetBucketAcl(PLAIN, "public-read")],
    [DeleteMany(PLAIN, (b"a", b"b/2", b"c", b"multi", b"not there"))],
    [DeleteBucket(PLAIN)],
    [CreateBucket(PLAIN)],
    [Put(PLAIN, b"a", b"")],
]


class Clients:
    """Seeded clients that know what should be in the store."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._labels = 0

    def batches(self, model: Model, count: int) -> Iterator[Batch]:
        """`count` batches; `model` is looked at as the store goes on."""
        for _ in range(count):
            if self._chance.random() < 0.3:
                places = self._chance.sample([(bucket, key) for bucket in BUCKETS for key in KEYS], 3)
                yield [self._change(*place) for place in places]
            else:
                yield [self._any(model)]

    def _body(self) -> bytes:
        chance = self._chance
        if chance.random() < 0.15:
            return chance.randbytes(LARGE_BYTES - chance.randrange(2))
        return chance.randbytes(chance.choice((0, 1, 40, 700)))

    def _metadata(self) -> dict[str, str]:
        return {"n": str(self._chance.randrange(1000))} if self._chance.random() < 0.5 else {}

    def _change(self, bucket: str, key: bytes) -> Operation:
        if self._chance.random() < 0.25:
            return Delete(bucket, key)
        return Put(bucket, key, self._body(), self._metadata())

    def _any(self, model: Model) -> Operation:
        chance = self._chance
        bucket, key = chance.choice(BUCKETS), chance.choice(KEYS)
        if bucket not in model.buckets and chance.random() < 0.9:
            return CreateBucket(bucket, chance.choice(("private", "public-read")))
        kind = chance.choices(("change", "many", "copy", "acl", "bucket", "upload"), weights=(30, 8, 15, 8, 7, 32))[0]
        match kind:
            case "many":
                return DeleteMany(bucket, tuple(chance.sample(KEYS, 3)))
            case "copy":
                metadata = self._metadata() if chance.random() < 0.5 else None
                return Copy(chance.choice(BUCKETS), chance.choice(KEYS), bucket, key, metadata)
            case "acl":
                return SetAcl(bucket, key, chance.choice(("private", "public-read")))
            case "bucket":
                wish: list[Operation] = [DeleteBucket(bucket), CreateBucket(bucket), SetBucketAcl(bucket, "private")]
                return chance.choice(wish)
            case "upload":
                return self._upload(model, bucket, key)
        return self._change(bucket, key)

    def _upload(self, model: Model, bucket: str, key: bytes) -> Operation:
        chance = self._chance
        known = sorted(model.uploads)
        if not known or chance.random() < 0.25:
            self._labels += 1
            return CreateUpload(bucket, key, f"upload-{self._labels}")
        label = chance.choice(known)
        upload = model.uploads[label]
        numbers = [number for number, _ in upload.parts]
        step = chance.random()
        if numbers and step < 0.35:
            chosen = tuple(sorted(chance.sample(numbers, chance.randint(1, len(numbers)))))
            return Complete(upload.bucket, upload.key, label, chosen)
        if step < 0.45:
            return Abort(upload.bucket, upload.key, label)
        return PutPart(upload.bucket, upload.key, label, chance.randint(1, 3), self._body())
