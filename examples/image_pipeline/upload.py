"""Uploads pictures, watches their thumbnails come, and shows that these made no work of their own."""

from __future__ import annotations

import io
import mimetypes
import sys
import time
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _start import join

PICTURES, THUMBNAILS = "examples--pictures--originals", "examples--pictures--thumbnails"
PATIENCE_SECONDS = 60.0


def main(paths: list[Path]) -> None:
    with join(Path("data")) as client:
        s3 = client.s3()
        pictures = {path.name: path.open("rb") for path in paths} or own_pictures()
        etags = {key: put(s3, key, body) for key, body in pictures.items()}
        for key, etag in etags.items():
            found = wait_for_thumbnail(s3, key, etag)
            print(f"{key}: {found['ContentType']}, {found['ContentLength']} bytes")
        gone = next(iter(etags))
        s3.delete_object(Bucket=PICTURES, Key=gone)
        wait_for_thumbnail(s3, gone, None)
        print(f"{gone}: deleted, and so is its thumbnail")
        webhook = next(one for one in client.webhooks.list(bucket=PICTURES) if one.name == "thumbnails")
        told = {str(delivery.bucket) for delivery in client.webhooks.list_deliveries(webhook.id)}
        events = client.buckets.get(THUMBNAILS).sequence
        print(f"{THUMBNAILS} has had {events} events of its own; the webhook was told of {', '.join(told)} alone")


def own_pictures() -> dict[str, IO[bytes]]:
    """A photograph, a drawing with an odd name, and something that only claims to be a picture."""
    sea, drawing = Image.linear_gradient("L").resize((1600, 1200)).convert("RGB"), Image.new("RGBA", (64, 64), "#0aa8")
    return {
        "holiday/sea.jpg": encoded(sea, "JPEG"),
        "../tête-à-tête + 1.png": encoded(drawing, "PNG"),
        "broken.jpg": io.BytesIO(b"\xff\xd8\xff no picture"),
    }


def encoded(image: Image.Image, form: str) -> IO[bytes]:
    output = io.BytesIO()
    image.save(output, form)
    output.seek(0)
    return output


def put(s3: Any, key: str, body: IO[bytes]) -> str:
    media_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
    return str(s3.put_object(Bucket=PICTURES, Key=key, Body=body, ContentType=media_type)["ETag"])


def wait_for_thumbnail(s3: Any, key: str, etag: str | None) -> dict[str, Any]:
    """What is known of the thumbnail, as soon as it is that of the picture with this etag, or gone (None)."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        found = head(s3, key)
        if found.get("Metadata", {}).get("picture") == etag:
            return found
        time.sleep(0.1)
    sys.exit(f"There is no news of {key} after {PATIENCE_SECONDS:.0f} s. Does run.py run?")


def head(s3: Any, key: str) -> dict[str, Any]:
    try:
        return dict(s3.head_object(Bucket=THUMBNAILS, Key=key))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return {}
        raise


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
