"""Conditional requests, as data and one decision: what RFC 9110 and S3 make of the If-… headers."""

from __future__ import annotations

from elasticlake.errors import NoSuchKey, NotModified, PreconditionFailed
from elasticlake.model.objects import ObjectVersion
from elasticlake.record import record

ANY = "*"


@record
class Conditions:
    """The conditions of one request. ETags are without quotes; times are whole seconds since the epoch."""

    if_match: tuple[str, ...] = ()
    if_none_match: tuple[str, ...] = ()
    if_modified_since: int | None = None
    if_unmodified_since: int | None = None
    if_match_size: int | None = None
    if_match_modified: int | None = None

    def __bool__(self) -> bool:
        return self != NONE


NONE = Conditions()


def check_read(conditions: Conditions, version: ObjectVersion) -> None:
    """Raises `PreconditionFailed` or `NotModified`; a matching ETag outweighs the dates (RFC 9110, 13.2.2)."""
    if conditions.if_match:
        if not _names(conditions.if_match, version):
            raise PreconditionFailed("If-Match")
    elif _modified_after(conditions.if_unmodified_since, version):
        raise PreconditionFailed("If-Unmodified-Since")
    if conditions.if_none_match:
        if _names(conditions.if_none_match, version):
            raise NotModified
    elif conditions.if_modified_since is not None and not _modified_after(conditions.if_modified_since, version):
        raise NotModified


def check_source(conditions: Conditions, version: ObjectVersion) -> None:
    """As a read, but a copy has nothing to be unmodified for: every failure is `PreconditionFailed`."""
    try:
        check_read(conditions, version)
    except NotModified:
        raise PreconditionFailed("x-amz-copy-source-if-none-match") from None


def check_write(conditions: Conditions, current: ObjectVersion | None) -> None:
    """Raises `PreconditionFailed`, or `NoSuchKey` where an existing object was required
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)."""
    if conditions.if_match:
        if current is None:
            raise NoSuchKey
        if not _names(conditions.if_match, current):
            raise PreconditionFailed("If-Match")
    elif current is not None and _modified_after(conditions.if_unmodified_since, current):
        raise PreconditionFailed("If-Unmodified-Since")
    if conditions.if_none_match and current is not None and _names(conditions.if_none_match, current):
        raise PreconditionFailed("If-None-Match")


def _modified_after(seconds: int | None, version: ObjectVersion) -> bool:
    return seconds is not None and version.modified_at_ms // 1000 > seconds


def check_delete(conditions: Conditions, current: ObjectVersion | None) -> None:
    """A delete of what is not there succeeds, unless it named the version that it meant."""
    if current is None:
        if conditions.if_match and ANY not in conditions.if_match:
            raise NoSuchKey
        return
    if conditions.if_match and not _names(conditions.if_match, current):
        raise PreconditionFailed("If-Match")
    if conditions.if_match_size is not None and conditions.if_match_size != current.size_bytes:
        raise PreconditionFailed("x-amz-if-match-size")
    if conditions.if_match_modified is not None and conditions.if_match_modified != current.modified_at_ms // 1000:
        raise PreconditionFailed("x-amz-if-match-last-modified-time")


def _names(etags: tuple[str, ...], version: ObjectVersion) -> bool:
    return ANY in etags or version.etag in etags
