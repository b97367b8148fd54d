"""What an object store's faults mean to us: the blob is missing, the store is full, or it cannot be had for now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from obstore.exceptions import BaseError

from elasticlake.errors import InsufficientStorage, Unavailable

FAULTS = (BaseError, OSError, ValueError)
"""All that obstore raises: its own, those of a file (a missing object, a broken writer), and bad answers."""

# The codes are MinIO's, Ceph's and Google's; Amazon's and Azure's stores do not fill up.
_FULL = re.compile(r"status code: 507|XMinioStorageFull|QuotaExceeded|quotaExceeded")
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|specified bucket does not exist")
# Without a key, the library asks the machine for its identity: at an address that only clouds answer at.
_NO_CREDENTIALS = re.compile(r"169\.254\.169\.254|metadata\.google\.internal")
_REFUSED = re.compile(r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|AuthenticationFailed|40[13] [UF]")
_UNREACHABLE = re.compile(r"error sending request|Connect|timed out|dns error|builder error")
_BEYOND_END = re.compile(r"status code: 416|Wanted range starting at")

_log = structlog.get_logger("blobs")


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Raises `Unavailable` or `InsufficientStorage` instead of the store's own faults, which the log explains."""
    try:
        yield
    except FAULTS as fault:
        raise translation(action, fault) from fault


def translation(action: str, fault: Exception) -> Unavailable:
    """What to raise for a fault of the store while it was asked to do `action`."""
    text = str(fault)
    _log.warning("object store fault", action=action, error=text.partition("\n")[0])
    if _FULL.search(text):
        return InsufficientStorage("The blob store is full: writes are refused until space is freed.")
    return Unavailable()


def explanation(fault: Exception) -> str:
    """The fault for whoever configures the store."""
    text = str(fault)
    if _NO_BUCKET.search(text):
        return "its bucket does not exist"
    if _NO_CREDENTIALS.search(text):
        return "there are no credentials for it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or its cloud's own"
    if _REFUSED.search(text):
        return "it refuses these credentials"
    if _UNREACHABLE.search(text):
        return "it cannot be reached"
    return text.partition("\n")[0]


def is_missing(fault: Exception) -> bool:
    """The object is not there, or ends before what was asked for. A bucket that is missing is a fault of its own."""
    text = str(fault)
    if isinstance(fault, FileNotFoundError):
        return not _NO_BUCKET.search(text)
    return isinstance(fault, BaseError) and bool(_BEYOND_END.search(text))
