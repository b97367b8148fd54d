"""Bucket names: `lake--pond--bucket`, or plain S3 names that live in lake `default`, pond `default`."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from elasticlake.errors import InvalidBucketName, InvalidInput
from elasticlake.record import record

DEFAULT_SLUG = "default"
SEPARATOR = "--"

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_S3_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@record
class BucketName:
    """A bucket's S3 name and its place in the hierarchy."""

    name: str
    lake: str
    pond: str
    slug: str

    @property
    def is_plain(self) -> bool:
        """Whether the name says nothing of lakes and ponds."""
        return self.name == self.slug


def is_slug(text: str) -> bool:
    """Whether `text` can name a lake, a pond, or the last part of a hierarchical bucket name."""
    return _SLUG.fullmatch(text) is not None and SEPARATOR not in text


def require_slug(field: str, text: str) -> str:
    """`text`, if it is a slug of at most 57 characters; raises `InvalidInput` that names `field`."""
    if not is_slug(text) or len(text) > 57:
        raise InvalidInput(
            field,
            f"{text!r} is not a slug: lower-case letters, digits and single hyphens inside, at most 57 characters.",
        )
    return text


def require_display_name(field: str, text: str) -> str:
    """`text`, if people can read it as a name: 1 to 200 printable characters."""
    if not 1 <= len(text) <= 200 or not text.isprintable() or text.isspace():
        raise InvalidInput(field, "A display name has 1 to 200 printable characters.")
    return text


def split_pond(field: str, text: str) -> tuple[str, str]:
    """`lake1--pond1` as (`lake1`, `pond1`); raises `InvalidInput` that names `field`."""
    lake, separator, pond = text.partition(SEPARATOR)
    if not separator or not is_slug(lake) or not is_slug(pond):
        raise InvalidInput(field, f"{text!r} is not a pond: write it as lake--pond.")
    return lake, pond


@lru_cache(maxsize=4096)
def parse_bucket_name(name: str) -> BucketName:
    """Place `name` in the hierarchy; raises `InvalidBucketName` with the rule that it breaks."""
    if _S3_NAME.fullmatch(name) is None:
        raise InvalidBucketName(
            "A bucket name has 3 to 63 lower-case letters, digits, hyphens and dots, and starts and ends with a"
            " letter or digit."
        )
    if any(pair in name for pair in ("..", ".-", "-.")) or _is_ipv4(name):
        raise InvalidBucketName(
            "A bucket name has no dot beside another dot or a hyphen, and is not formatted as an IP address."
        )
    if name.startswith(_RESERVED_PREFIXES) or name.endswith(_RESERVED_SUFFIXES):
        raise InvalidBucketName("The bucket name has a prefix or suffix that S3 reserves.")
    if name.count(SEPARATOR) == 2 and all(is_slug(part) for part in name.split(SEPARATOR)):
        lake, pond, slug = name.split(SEPARATOR)
        if (lake, pond) == (DEFAULT_SLUG, DEFAULT_SLUG):
            raise InvalidBucketName("Buckets of lake default, pond default have plain names.")
        return BucketName(name, lake, pond, slug)
    return BucketName(name, DEFAULT_SLUG, DEFAULT_SLUG, name)


def _is_ipv4(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
