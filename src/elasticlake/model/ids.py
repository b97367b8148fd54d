"""Identifiers: what each looks like, and how a delivery's id encodes what it names."""

from __future__ import annotations

import hashlib
import random
import secrets
from base64 import b32decode, b32encode
from functools import lru_cache

from elasticlake.errors import NoSuchDelivery
from elasticlake.model import varints
from elasticlake.record import record

NO_BUCKET = 0
"""The bucket id in the deliveries of an operational event, which tells of a webhook and is in no bucket's log."""
_WEBHOOK_BYTES = 10


def _base32(data: bytes) -> str:
    return b32encode(data).decode("ascii").rstrip("=").lower()


def _unbase32(text: str) -> bytes:
    return b32decode(text.upper() + "=" * (-len(text) % 8))


def new_event_id(time_ms: int) -> str:
    """`evt_…`: 30 hex digits that sort by time and never repeat (48 bits of time, 72 of chance).

    The chance need not surprise anyone, only differ, so it costs no system call.
    """
    return f"evt_{time_ms:012x}{random.getrandbits(72):018x}"


def derived_event_id(time_ms: int, *names: str | int | bytes) -> str:
    """As `new_event_id`, but always the same for the same names."""
    digest = hashlib.blake2b(repr(names).encode(), digest_size=9).hexdigest()
    return f"evt_{time_ms:012x}{digest}"


def new_job_id(time_ms: int) -> str:
    """`job_…`: 24 hex digits that sort by time."""
    return f"job_{time_ms:012x}{secrets.token_hex(6)}"


def new_webhook_id() -> str:
    """`wh_…`: 16 characters of chance."""
    return "wh_" + _base32(secrets.token_bytes(_WEBHOOK_BYTES))


def new_token_id() -> str:
    """`tok_…`: names a token without being it."""
    return "tok_" + _base32(secrets.token_bytes(10))


def new_token() -> str:
    """`elt_…`: a bearer token, 160 bits of chance."""
    return "elt_" + _base32(secrets.token_bytes(20))


def new_upload_id() -> str:
    """A multipart upload's id: URL-safe, 160 bits of chance."""
    return secrets.token_urlsafe(20)


def new_blob_id() -> str:
    """A blob's id: 32 hex digits of chance, so that blobs spread evenly over their directories."""
    return secrets.token_hex(16)


def new_access_key_id() -> str:
    """Shaped like AWS's own: 20 upper-case letters and digits."""
    return "EL" + b32encode(secrets.token_bytes(12)).decode("ascii").rstrip("=")[:18]


def new_secret_access_key() -> str:
    """Shaped like AWS's own: 40 characters."""
    return secrets.token_urlsafe(30)


@record
class DeliveryId:
    """What a delivery is: one event of one bucket for one webhook, or a later generation of the same.

    `generation` 0 is the delivery that the log makes by itself; redeliveries and tests count up from 1, and those of
    jobs are beyond (`model/jobs.py`). `sequence` 0 is a test. An operational event, which no log makes, begins with 1.
    """

    webhook_id: str
    bucket_id: int
    sequence: int
    generation: int = 0

    @property
    def is_operational(self) -> bool:
        """Whether it tells of another webhook: the `sequence` of such an event is its number among these alone."""
        return self.bucket_id == NO_BUCKET and self.sequence > 0

    @property
    def is_first(self) -> bool:
        """Whether nobody asked for it: it is how its event is delivered by itself."""
        return self.generation == int(self.is_operational)

    def __str__(self) -> str:
        numbers = b"".join(varints.encode(n) for n in (self.bucket_id, self.sequence, self.generation))
        return "dlv_" + _base32(_webhook_bytes(self.webhook_id) + numbers)

    @classmethod
    def parse(cls, text: str) -> DeliveryId:
        """The delivery that `text` names; raises `NoSuchDelivery` if it can name none."""
        try:
            data = _unbase32(text.removeprefix("dlv_"))
            bucket_id, rest = varints.read(data[_WEBHOOK_BYTES:])
            sequence, rest = varints.read(rest)
            generation, rest = varints.read(rest)
            parsed = cls("wh_" + _base32(data[:_WEBHOOK_BYTES]), bucket_id, sequence, generation)
        except (ValueError, IndexError):
            raise NoSuchDelivery from None
        if rest or str(parsed) != text:
            raise NoSuchDelivery
        return parsed


@lru_cache(maxsize=4096)
def _webhook_bytes(webhook_id: str) -> bytes:
    return _unbase32(webhook_id.removeprefix("wh_"))
