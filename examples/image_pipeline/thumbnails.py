"""Thumbnails: each object of one bucket has its own, under the same key, in another."""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
from typing import IO, Any

from botocore.exceptions import ClientError
from PIL import Image, ImageOps

MAX_BYTES = 100 * 1024 * 1024
MAX_PIXELS = 100_000_000
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")
"""Pillow knows more, and runs another program for some: Ghostscript for EPS."""
SIZE = (256, 256)

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """There can be no thumbnail; `str(error)` says why, to whoever owns the picture."""


def mirror(s3: Any, bucket: str, key: str, into: str) -> None:
    """Make the thumbnail what the object is *now*, whatever event told of it: made, made anew, or gone.

    So events may come twice, late, and in any order. Two workers may be at one key: each looks again after it has
    written, and whoever wrote last has seen the latest. Raises what boto3 does.
    """
    while True:
        seen = _state(s3, bucket, key)
        _write(s3, bucket, key, into, seen)
        if _state(s3, bucket, key) == seen:
            return


def thumbnail(picture: IO[bytes]) -> bytes:
    """A WebP of at most 256 × 256 pixels, upright; raises `Unreadable`."""
    try:
        with Image.open(picture, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable(f"It has {image.width} × {image.height} pixels.")
            image.draft("RGB", SIZE)  # a JPEG is decoded no larger than is needed
            image.thumbnail(SIZE)
            upright = ImageOps.exif_transpose(image)
            output = io.BytesIO()
            upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(output, "WEBP")
            return output.getvalue()
    except Unreadable:
        raise
    except Exception as error:  # decoders raise whatever they stumble over
        raise Unreadable(f"It cannot be decoded ({type(error).__name__}).") from error


def _state(s3: Any, bucket: str, key: str) -> str | None:
    """The picture's etag; None if there is no such object, or it is no picture."""
    head = _head(s3, bucket, key)
    return head["ETag"] if head and head["ContentType"].lower().startswith("image/") else None


def _write(s3: Any, bucket: str, key: str, into: str, etag: str | None) -> None:
    current = _head(s3, into, key)
    if etag is None:
        if current:
            s3.delete_object(Bucket=into, Key=key)
            log.info("The thumbnail of %r is gone, as is the picture.", key)
    elif not current or current["Metadata"].get("picture") != etag:
        made = _made(s3, bucket, key, etag)
        if made is not None:
            s3.put_object(Bucket=into, Key=key, Metadata={"picture": etag}, **made)


def _made(s3: Any, bucket: str, key: str, etag: str) -> dict[str, Any] | None:
    """The thumbnail's body and type; a text if there can be none, so that nobody tries again or waits for it. None if
    the picture is another meanwhile."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, IfMatch=etag)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "PreconditionFailed"):
            return None
        raise
    try:
        if answer["ContentLength"] > MAX_BYTES:
            raise Unreadable(f"It has {answer['ContentLength']} bytes.")
        with tempfile.TemporaryFile() as picture:
            shutil.copyfileobj(answer["Body"], picture, 1024 * 1024)
            made = thumbnail(picture)
    except Unreadable as error:
        log.warning("There is no thumbnail of %r: %s", key, error)
        return {"Body": f"There is no thumbnail. {error}\n".encode(), "ContentType": "text/plain; charset=utf-8"}
    finally:
        answer["Body"].close()
    log.info("The thumbnail of %r is made.", key)
    return {"Body": made, "ContentType": "image/webp"}


def _head(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return found
