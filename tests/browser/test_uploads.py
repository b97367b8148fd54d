"""Uploads from the object browser: files and folders go straight to S3, with progress, cancel and resume."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.integration.conftest import s3_client
from tests.integration.server import Server

pytestmark = pytest.mark.needs_chromium

MIB = 1024 * 1024
PATIENCE_MS = 60_000
PRESIGN = "**/presign"
_numbers = itertools.count(1)


@pytest.fixture
def s3(dashboard: Server) -> Any:
    return s3_client(dashboard)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"lake1--pond1--uploads{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def file_of(folder: Path, name: str, size_bytes: int) -> Path:
    path = folder / name
    path.write_bytes(b"")
    with path.open("r+b") as file:
        file.truncate(size_bytes)
    return path


def choose(page: Page, *paths: Path) -> None:
    """Choose files as a person does, with the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload files").click()
    chooser.value.set_files(list(paths))


def transfer(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name="Uploads").get_by_role("listitem").filter(has_text=name)


def part_number(route: Route) -> int:
    """Which part a presigned URL is asked for; 0 for anything else."""
    return int(parse_qs(route.request.post_data or "").get("partNumber", ["0"])[0])


def uploads_under_way(s3: Any, bucket: str) -> list[Any]:
    return list(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []))


def test_a_large_file_goes_by_parts_and_says_how_far_it_is(page: Page, s3: Any, bucket: str, tmp_path: Path) -> None:
    page.goto(f"/ui/buckets/{bucket}")
    choose(page, file_of(tmp_path, "film.mp4", 200 * MIB))
    row = transfer(page, "film.mp4")
    expect(row).to_contain_text(re.compile(r"MiB of 200 MiB, .+/s, \d+ (s|min) left"), timeout=PATIENCE_MS)
    assert 0 < float(row.get_by_role("progressbar").get_attribute("value") or 0) <= 1
    expect(row).to_contain_text("Uploaded, 200 MiB", timeout=PATIENCE_MS)
    expect(page.get_by_role("link", name="film.mp4")).to_be_visible()
    head = s3.head_object(Bucket=bucket, Key="film.mp4")
    assert (head["ContentLength"], head["ContentType"]) == (200 * MIB, "video/mp4")
    assert head["ETag"].endswith('-25"')
    assert uploads_under_way(s3, bucket) == []


def test_many_uploads_leave_the_list_in_sight(page: Page, s3: Any, bucket: str, tmp_path: Path) -> None:
    page.goto(f"/ui/buckets/{bucket}")
    choose(page, *(file_of(tmp_path, f"{number:02}.txt", 10) for number in range(30)))
    expect(transfer(page, "29.txt")).to_contain_text("Uploaded", timeout=PATIENCE_MS)
    expect(transfer(page, "29.txt")).to_be_in_viewport()
    expect(page.get_by_role("link", name="00.txt")).to_be_in_viewport()
    row = transfer(page, "29.txt").bounding_box()
    assert row is not None
    assert row["height"] < 40  # one line


def test_cancel_leaves_nothing_behind(page: Page, s3: Any, bucket: str, tmp_path: Path) -> None:
    page.goto(f"/ui/buckets/{bucket}")
    # The later parts are never signed, so that there is something to cancel.
    page.route(PRESIGN, lambda route: route.continue_() if part_number(route) <= 4 else None)
    choose(page, file_of(tmp_path, "film.mp4", 200 * MIB))
    row = transfer(page, "film.mp4")
    expect(row).to_contain_text("32.0 MiB of 200 MiB", timeout=PATIENCE_MS)
    assert len(uploads_under_way(s3, bucket)) == 1
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("Cancelled")
    assert uploads_under_way(s3, bucket) == []
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("way", ["button", "reload"])
def test_an_upload_goes_on_from_the_parts_that_arrived(
    page: Page, s3: Any, bucket: str, tmp_path: Path, way: str
) -> None:
    path = file_of(tmp_path, "backup.tar", 24 * MIB)
    page.goto(f"/ui/buckets/{bucket}")
    page.route(PRESIGN, lambda route: route.continue_() if part_number(route) <= 1 else refuse(route, 403))
    choose(page, path)
    row = transfer(page, "backup.tar")
    expect(row).to_contain_text("Refused for a test.")
    page.unroute(PRESIGN)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "partNumber=" in request.url else None)
    if way == "button":
        row.get_by_role("button", name="Resume").click()
    else:
        page.reload()
        choose(page, path)
    expect(row).to_contain_text("Uploaded, 24.0 MiB", timeout=PATIENCE_MS)
    assert sorted(parse_qs(urlsplit(url).query)["partNumber"] for url in sent) == [["2"], ["3"]]
    assert s3.head_object(Bucket=bucket, Key="backup.tar")["ContentLength"] == 24 * MIB
    assert uploads_under_way(s3, bucket) == []


def refuse(route: Route, status: int) -> None:
    route.fulfill(status=status, json={"detail": "Refused for a test."})


def test_what_was_lost_on_the_way_is_sent_again(page: Page, s3: Any, bucket: str, tmp_path: Path) -> None:
    asked = itertools.count(1)
    page.route(PRESIGN, lambda route: refuse(route, 429) if next(asked) <= 2 else route.continue_())
    page.goto(f"/ui/buckets/{bucket}")
    choose(page, file_of(tmp_path, "note.txt", 10))
    expect(transfer(page, "note.txt")).to_contain_text("Uploaded, 10 B")
    assert s3.head_object(Bucket=bucket, Key="note.txt")["ContentType"] == "text/plain"


def test_an_upload_whose_parts_are_gone_begins_anew(page: Page, s3: Any, bucket: str, tmp_path: Path) -> None:
    page.goto(f"/ui/buckets/{bucket}")
    page.route(PRESIGN, lambda route: route.continue_() if part_number(route) <= 1 else refuse(route, 403))
    choose(page, file_of(tmp_path, "backup.tar", 20 * MIB))
    row = transfer(page, "backup.tar")
    expect(row).to_contain_text("Refused for a test.")
    page.unroute(PRESIGN)
    (upload,) = uploads_under_way(s3, bucket)
    s3.abort_multipart_upload(Bucket=bucket, Key="backup.tar", UploadId=upload["UploadId"])
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("Uploaded, 20.0 MiB", timeout=PATIENCE_MS)
    assert uploads_under_way(s3, bucket) == []


def test_a_dropped_folder_is_uploaded_with_its_paths(page: Page, s3: Any, bucket: str, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    names = ["holiday/a.txt", "holiday/day 1/ü & <b>.jpg", "holiday/day 1/deep/empty"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name if "empty" not in name else "")
    page.goto(f"/ui/buckets/{bucket}?prefix={quote('2026/', safe='')}")
    drop(page, folder)
    for name in names:
        expect(transfer(page, name)).to_contain_text("Uploaded", timeout=PATIENCE_MS)
    expect(page.get_by_role("link", name="holiday/")).to_be_visible()
    found = {item["Key"]: item["Size"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert found == {f"2026/{name}": len((tmp_path / name).read_bytes()) for name in names}
    assert s3.head_object(Bucket=bucket, Key=f"2026/{names[1]}")["ContentType"] == "image/jpeg"


def drop(page: Page, path: Path) -> None:
    """Drop a path on the page, as the desktop does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})


def test_what_a_browser_cannot_send_is_refused_before_it_begins(
    page: Page, s3: Any, bucket: str, tmp_path: Path
) -> None:
    page.goto(f"/ui/buckets/{bucket}?prefix={quote('../', safe='')}")
    choose(page, file_of(tmp_path, "x", 20 * MIB))
    expect(transfer(page, "x")).to_contain_text("A browser cannot send a name with")
    assert uploads_under_way(s3, bucket) == []


def test_many_files_go_two_at_once(page: Page, s3: Any, bucket: str, tmp_path: Path) -> None:
    page.goto(f"/ui/buckets/{bucket}")
    held: list[Route] = []
    is_open = False
    page.route(PRESIGN, lambda route: route.continue_() if is_open else held.append(route))
    choose(page, *(file_of(tmp_path, f"f{number}", 1000) for number in range(5)))
    expect(page.locator(".transfer[data-state=running]")).to_have_count(2)
    expect(page.locator(".transfer[data-state=waiting]")).to_have_count(3)
    is_open = True
    for route in held:
        route.continue_()
    expect(page.get_by_text("5 of 5 uploaded, 4.9 KiB of 4.9 KiB")).to_be_visible()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 5
    page.get_by_role("button", name="Clear the list").click()
    expect(page.get_by_role("region", name="Uploads")).to_be_hidden()
