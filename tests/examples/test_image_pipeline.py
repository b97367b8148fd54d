"""examples/image_pipeline, end to end."""

from __future__ import annotations

import io
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.docs.documents import ROOT
from tests.examples.example import Example, running
from tests.integration.receiver import eventually

PICTURES, THUMBNAILS = "examples--pictures--originals", "examples--pictures--thumbnails"
CORRUPT = {"broken.jpg", "truncated.png", "bomb.gif"}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    with running("image_pipeline", tmp_path_factory.mktemp("images")) as started:
        yield started


def picture(form: str, size: tuple[int, int], color: str = "teal") -> bytes:
    output = io.BytesIO()
    Image.new("RGB", size, color).save(output, form)
    return output.getvalue()


def bomb() -> bytes:
    """Ten bytes of a GIF that claims to be 65,535 pixels wide and high."""
    return b"GIF89a\xff\xff\xff\xff" + bytes(200)


def put(example: Example, key: str, body: bytes, media_type: str = "image/jpeg") -> None:
    example.s3.put_object(Bucket=PICTURES, Key=key, Body=body, ContentType=media_type)


def is_done(example: Example) -> bool:
    return not example.rows("inbox.db", "SELECT 1 FROM inbox")


def require_exact(example: Example, corrupt: set[str] = CORRUPT) -> None:
    """Each picture has its thumbnail, and there is nothing else."""
    example.wait_until_told()
    eventually(lambda: is_done(example))
    pictures = {key: found for key, found in example.objects(PICTURES).items() if found["ContentType"] != "text/csv"}
    thumbnails = example.objects(THUMBNAILS)
    assert thumbnails.keys() == pictures.keys()
    for key, made in thumbnails.items():
        assert made["Metadata"]["picture"] == pictures[key]["ETag"]
        if key in corrupt:
            assert made["Body"].startswith(b"There is no thumbnail. It ")
        else:
            require_thumbnail(made, pictures[key])


def require_thumbnail(made: dict[str, Any], of: dict[str, Any]) -> None:
    small, large = Image.open(io.BytesIO(made["Body"])), Image.open(io.BytesIO(of["Body"]))
    assert (small.format, made["ContentType"]) == ("WEBP", "image/webp")
    assert max(small.size) == min(256, max(large.size))
    assert small.width / small.height == pytest.approx(large.width / large.height, rel=0.02)


def test_the_third_command_shows_thumbnails_and_no_loop(example: Example) -> None:
    shown = example.try_it()
    assert "holiday/sea.jpg: image/webp" in shown
    assert "../tête-à-tête + 1.png: image/webp" in shown
    assert "broken.jpg: text/plain" in shown
    assert "holiday/sea.jpg: deleted, and so is its thumbnail" in shown
    # Three thumbnails made and one deleted; what the webhook was told of is the pictures alone.
    assert f"{THUMBNAILS} has had 4 events of its own; the webhook was told of {PICTURES} alone" in shown


def test_crashes_lose_no_picture(example: Example) -> None:
    put(example, "truncated.png", picture("PNG", (900, 900))[:-40], "image/png")
    put(example, "bomb.gif", bomb(), "image/gif")
    put(example, "table.csv", b"no,picture\n", "text/csv")
    large = picture("PNG", (4000, 3000))
    for number in range(8):
        put(example, f"many/{number} ☂+%2F.jpg", large)
    eventually(lambda: example.output.count("] received") > example.output.count("] succeeded"))
    example.kill("worker")
    example.kill("receiver")
    put(example, "last\nforged.jpg", large, "IMAGE/PNG")
    require_exact(example)
    assert "\nforged.jpg" not in example.output


def test_duplicates_and_replays_write_nothing(example: Example) -> None:
    require_exact(example)
    before = example.client.buckets.get(THUMBNAILS).sequence
    told = example.client.buckets.get(PICTURES).sequence
    assert example.replay().delivered == told
    example.redeliver_all()
    require_exact(example)
    assert example.client.buckets.get(THUMBNAILS).sequence == before


def test_what_is_replaced_and_deleted_is_followed(example: Example) -> None:
    put(example, "many/0 ☂+%2F.jpg", picture("JPEG", (300, 100), "red"))
    put(example, "many/1 ☂+%2F.jpg", b"no picture any more", "text/csv")
    put(example, "broken.jpg", picture("JPEG", (10, 10)))
    for key in ("many/2 ☂+%2F.jpg", "truncated.png"):
        example.s3.delete_object(Bucket=PICTURES, Key=key)
    require_exact(example, {"bomb.gif"})
    thumbnails = example.objects(THUMBNAILS)
    assert not {"many/1 ☂+%2F.jpg", "many/2 ☂+%2F.jpg", "truncated.png"} & thumbnails.keys()
    assert Image.open(io.BytesIO(thumbnails["many/0 ☂+%2F.jpg"]["Body"])).size == (256, 85)


def test_no_picture_starts_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EPS is a language, which Pillow hands to Ghostscript where that is installed."""
    marker, program = tmp_path / "was-run", tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    thumbnails = runpy.run_path(str(ROOT / "examples/image_pipeline/thumbnails.py"))
    with pytest.raises(thumbnails["Unreadable"]):
        thumbnails["thumbnail"](io.BytesIO(picture("EPS", (9, 9))))
    assert not marker.exists()
