"""The object browser as a person uses it: folders, search, previews, links, deleting; keys that may hold anything."""

from __future__ import annotations

import itertools
import time
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import sign_in
from tests.integration.conftest import s3_client
from tests.integration.receiver import Receiver
from tests.integration.server import Server

pytestmark = pytest.mark.needs_chromium

HOSTILE = [
    "<script>alert(1)</script>",
    "../x",
    "a/../../etc/passwd",
    "./.",
    "nul\x00inside",
    "line\r\nend",
    "photo\u202egnp.exe",
    "a//b",
    "/begins",
    "ends/",
    "?a=b&c#d%2e",
    "quote\"'`",
    "back\\slash",
    "é" * 512,
]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><script>document.title="ran"</script></svg>'
WAV = b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x08\x00\x00\x00" + bytes([128] * 8)  # fmt: skip  # noqa: E501
PDF = b"""%PDF-1.1
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]>>endobj
trailer<</Root 1 0 R>>
%%EOF"""
SPY = b"""<!doctype html><title>quiet</title><h1>An uploaded page</h1>
<script>document.title = "ran"; fetch("/ui/").then((r) => r.text()).then((t) => (document.title = t));</script>"""
_numbers = itertools.count(1)


@pytest.fixture
def s3(dashboard: Server) -> Any:
    return s3_client(dashboard)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"lake1--pond1--objects{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def keys_of(s3: Any, bucket: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=bucket, EncodingType="url")
    return [item["Key"] for item in found.get("Contents", [])]


def put(s3: Any, bucket: str, **bodies: bytes) -> None:
    for key, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=key.replace("__", "/").replace("_", "."), Body=body)


def fill(s3: Any, bucket: str, keys: Iterable[str], body: bytes) -> None:
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=body), keys))


def test_folders_lead_down_and_the_trail_leads_back(page: Page, s3: Any, bucket: str) -> None:
    put(s3, bucket, logs__2026__jan_log=b"x" * 2048, logs__new_log=b"y", readme_txt=b"z")
    page.goto("/ui/lakes/lake1")
    page.get_by_role("link", name=bucket.rpartition("--")[2], exact=True).click()
    expect(page.get_by_text("2.0 KiB", exact=True)).to_be_visible()
    page.get_by_role("link", name="logs/", exact=True).click()
    expect(page.get_by_role("link", name="new.log", exact=True)).to_be_visible()
    page.get_by_role("link", name="2026/", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("navigation", name="Where this is").get_by_role("link", name="logs").click()
    expect(page.get_by_role("link", name="2026/", exact=True)).to_be_visible()
    page.get_by_label("Names that begin with").fill("ne")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="new.log", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="2026/", exact=True)).to_have_count(0)
    page.get_by_role("link", name="pond1").click()
    expect(page.get_by_role("heading", name="Buckets of lake1--pond1")).to_be_visible()


def test_pages_and_sorting(page: Page, s3: Any, bucket: str) -> None:
    for number in range(60):
        s3.put_object(Bucket=bucket, Key=f"{number:03}", Body=b"x" * (number * 7 % 60))
    page.goto(f"/ui/buckets/{bucket}")
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("row")).to_have_count(11)
    page.get_by_role("link", name="Size").click()
    expect(page.get_by_role("row")).to_have_count(51)
    assert page.locator("tbody .number").all_inner_texts() == [f"{size} B" for size in range(59, 9, -1)]
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("row")).to_have_count(11)
    assert page.locator("tbody .number").all_inner_texts() == [f"{size} B" for size in range(9, -1, -1)]
    expect(page.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "descending")


@pytest.mark.parametrize("key", HOSTILE)
def test_any_key_is_listed_opened_downloaded_and_deleted(page: Page, s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"the bytes", ContentType="text/plain")
    listed = page.goto(f"/ui/buckets/{bucket}")
    assert listed is not None
    assert listed.status == 200
    for _ in range(key.count("/") + (not key.endswith("/"))):
        page.locator("tbody th a").first.click()
    if key.endswith("/"):
        page.get_by_role("link", name="(the folder itself)").click()
    expect(page.get_by_label("The object's text")).to_have_text("the bytes")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == b"the bytes"
    assert not any(character in download.value.suggested_filename for character in "/\\\x00\u202e")
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_role("heading", name="Delete 1 object?")).to_be_visible()
    page.get_by_role("button", name="Delete 1 object").click()
    expect(page.get_by_text("1 object deleted.")).to_be_visible()
    assert keys_of(s3, bucket) == []


def test_a_prefix_is_deleted_with_the_right_count(page: Page, s3: Any, bucket: str) -> None:
    fill(s3, bucket, (f"old/{number:04}" for number in range(1003)), b"ab")
    put(s3, bucket, older=b"1", ol=b"2")
    page.goto(f"/ui/buckets/{bucket}")
    page.get_by_label("Select folder old/").check()
    page.get_by_role("button", name="Delete the selected").click()
    expect(page.get_by_role("heading", name="Delete 1,003 objects?")).to_be_visible()
    expect(page.get_by_text("2.0 KiB")).to_be_visible()
    expect(page.get_by_text("All that begin with old/")).to_be_visible()
    page.get_by_role("button", name="Delete 1,003 objects").click()
    expect(page.get_by_text("1,003 objects deleted.")).to_be_visible()
    assert keys_of(s3, bucket) == ["ol", "older"]


def test_the_selected_are_deleted_and_nothing_else(page: Page, s3: Any, bucket: str) -> None:
    put(s3, bucket, a=b"1", b=b"22", c__d=b"333", e=b"4444")
    page.goto(f"/ui/buckets/{bucket}")
    page.get_by_label("Select all on this page").check()
    page.get_by_label("Select b").uncheck()
    page.get_by_role("button", name="Delete the selected").click()
    expect(page.get_by_role("heading", name="Delete 3 objects?")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    assert len(keys_of(s3, bucket)) == 4
    page.get_by_label("Select a", exact=True).check()
    page.get_by_label("Select e", exact=True).check()
    page.get_by_role("button", name="Delete the selected").click()
    page.get_by_role("button", name="Delete 2 objects").click()
    expect(page.get_by_text("2 objects deleted.")).to_be_visible()
    assert keys_of(s3, bucket) == ["b", "c/d"]


def test_previews(page: Page, s3: Any, bucket: str) -> None:
    def show(key: str, body: bytes, content_type: str) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
        page.goto(f"/ui/buckets/{bucket}/object?key={quote(key, safe='')}")

    show("../logo.svg", SVG, "image/svg+xml")
    assert page.get_by_alt_text("The object as a picture").evaluate("image => image.decode().then(() => true)")
    show("logo.svg", SVG, "image/svg+xml")
    assert page.get_by_alt_text("The object as a picture").evaluate("image => image.decode().then(() => true)")
    assert page.title() != "ran"
    show("people.csv", b"Name;Town\nAnna;K\xc3\xb6ln\n<b>Bo</b>;Ume\xc3\xa5\n", "text/csv")
    expect(page.get_by_role("columnheader", name="Town")).to_be_visible()
    expect(page.get_by_role("cell", name="<b>Bo</b>")).to_be_visible()
    show("ratio.json", b'{"ratio":0.10,"of":[]}', "application/json")
    expect(page.get_by_label("The object's text")).to_have_text('{\n  "ratio": 0.10,\n  "of": []\n}')
    show("page.html", SPY, "text/html")
    expect(page.get_by_label("The object's text")).to_contain_text("<h1>An uploaded page</h1>")
    show("tone.wav", WAV, "audio/wav")
    sound = page.get_by_label("The object as sound")
    page.wait_for_function("() => document.querySelector('audio').readyState >= 1")
    assert sound.evaluate("audio => audio.duration") == pytest.approx(0.001)
    show("paper.pdf", PDF, "application/pdf")
    expect(page.get_by_title("The object as a document")).to_be_visible()


def test_a_link_opens_the_object_for_whoever_has_it(page: Page, s3: Any, bucket: str) -> None:
    put(s3, bucket, note_txt=b"for everybody")
    page.goto(f"/ui/buckets/{bucket}")
    page.get_by_role("link", name="Copy link").click()
    dialog = page.get_by_role("dialog", name="Copy a link to note.txt")
    dialog.get_by_label("Good for").select_option("7 days")
    dialog.get_by_role("button", name="Copy the link").click()
    expect(dialog.get_by_text("The link is good for 7 days.")).to_be_visible()
    link = dialog.get_by_label("The link").input_value()
    assert "X-Amz-Expires=604800" in link
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"for everybody"


def test_an_objects_page_says_who_was_told_and_what_they_said(
    page: Page, s3: Any, bucket: str, dashboard: Server
) -> None:
    glad, broken = Receiver(), Receiver(lambda _: 500)
    new = {"bucket": bucket, "events": ["object:created", "object:deleted"]}
    for endpoint in (glad.url("/glad"), broken.url("/broken")):
        dashboard.request("POST", "/v1/webhooks", {**new, "endpoint": endpoint})
    s3.put_object(Bucket=bucket, Key="../report", Body=b"1")
    s3.put_object(Bucket=bucket, Key="../report", Body=b"2")
    s3.delete_object(Bucket=bucket, Key="../report")
    glad.wait_for(2, "/glad")
    wait_until_answered(dashboard, f"/v1/buckets/{bucket}/deliveries?key=..%2Freport", 3)
    page.goto(f"/ui/buckets/{bucket}/object?key=..%2Freport")
    expect(page.get_by_text("There is no such object now.")).to_be_visible()
    rows = page.get_by_role("region", name="Who was told").get_by_role("row").all_inner_texts()
    told = [" ".join(row.split()) for row in rows[1:]]
    assert [row.split()[0] for row in told if row.startswith("object:")] == [
        "object:deleted", "object:updated", "object:created",
    ]  # fmt: skip
    assert sum("/glad delivered" in row and row.endswith(" 200") for row in told) == 2
    assert sum("/broken held" in row for row in told) == 1
    assert sum("/broken retrying" in row and row.endswith(" 500") for row in told) == 1
    assert "No webhook wants this event." in told
    page.get_by_role("link", name="retrying").click()
    page.wait_for_url("**/ui/deliveries/dlv_*")
    glad.close()
    broken.close()


def wait_until_answered(server: Server, path: str, count: int) -> None:
    """Wait until so many deliveries have been answered."""
    give_up_at = time.monotonic() + 20
    while sum(one["lastStatusCode"] is not None for one in server.request("GET", path)["items"]) < count:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_an_uploaded_page_cannot_use_the_session(browser: Browser, dashboard: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="page.html", Body=SPY, ContentType="text/html", ACL="public-read")
    context = browser.new_context(base_url=dashboard.url)
    page, asked = context.new_page(), list[str]()
    sign_in(page)
    page.goto(f"/{bucket}/page.html")
    page.on("request", lambda request: asked.append(request.url))
    expect(page.get_by_role("heading", name="An uploaded page")).to_be_visible()
    assert page.title() == "quiet"
    assert asked == []
    assert page.evaluate("origin") == "null"
    cookie = "() => { try { return document.cookie } catch (error) { return error.name } }"
    assert page.evaluate(cookie) == "SecurityError"
    assert page.evaluate("() => fetch('/ui/').then(() => 'read', (error) => error.name)") == "TypeError"
    assert page.evaluate("() => fetch('/ui/', { credentials: 'include' }).catch((error) => error.name)") == "TypeError"
    context.close()
