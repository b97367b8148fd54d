"""A delivery in a browser: beside the log by keyboard, as a page, as curl, and verified."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import Server, clean_environment

pytestmark = pytest.mark.needs_chromium

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
KEY = "it's $HOME `x` \\ <script>alert(1)</script> €😀\u202e.txt"
_numbers = itertools.count(1)


@pytest.fixture
def webhook(dashboard: Server, s3: Any, receiver: Receiver) -> str:
    """One that was told of two events; the first it failed to take twice."""
    bucket = f"lake1--pond1--d{next(_numbers)}"
    s3.create_bucket(Bucket=bucket)
    receiver.answer = lambda number: 500 if number < 2 else 200
    body = {
        "bucket": bucket, "endpoint": receiver.url("/in[0]?x={a,b}&y='"), "events": ["object:created"],
        "retrySchedule": [0.1, 0.1], "secret": SECRET, "ordering": "bucket",
    }  # fmt: skip
    made = str(dashboard.request("POST", "/v1/webhooks", body)["id"])
    for key in (KEY, "second"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    found = eventually(lambda: both if len(both := delivered(dashboard, made)) == 2 else None)
    assert len(found) == 2
    return made


def delivered(dashboard: Server, webhook: str) -> list[Any]:
    return list(dashboard.request("GET", f"/v1/webhooks/{webhook}/deliveries?status=delivered")["items"])


def first_delivery(dashboard: Server, webhook: str) -> str:
    return str(next(one["id"] for one in delivered(dashboard, webhook) if one["sequence"] == 1))


def test_the_drawer_opens_turns_and_closes_by_keyboard_and_the_address_follows(
    page: Page, dashboard: Server, webhook: str
) -> None:
    log = f"/ui/webhooks/{webhook}?status=delivered"
    page.goto(log)
    page.get_by_role("link", name="script").focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Delivery")
    expect(drawer.get_by_role("heading", level=2)).to_contain_text("<script>alert(1)</script>")
    first = first_delivery(dashboard, webhook)
    expect(page).to_have_url(re.compile(f"/ui/deliveries/{first}$"))
    expect(drawer.get_by_role("heading", name="Attempt 3 3 attempts are kept")).to_be_visible()
    # An earlier attempt, in the drawer.
    drawer.get_by_role("navigation", name="Attempts").get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("heading", name="Attempt 1 3 attempts are kept")).to_be_visible()
    expect(drawer).to_contain_text("the receiver answered 500")
    expect(page).to_have_url(re.compile(r"\?attempt=1$"))
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page).to_have_url(re.compile(re.escape(log)))
    # The focus is where it was, the browser's own Back closes as well, and a reload shows the page.
    expect(page.get_by_role("link", name="script")).to_be_focused()
    page.keyboard.press("Enter")
    expect(drawer).to_be_visible()
    page.go_back()
    expect(drawer).to_be_hidden()
    expect(page).to_have_url(re.compile(re.escape(log)))
    page.go_forward()
    expect(drawer).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Delivery of")


def test_without_script_the_log_leads_to_pages(page: Page, dashboard: Server, webhook: str) -> None:
    plain = page.context.browser.new_context(
        base_url=dashboard.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    bare = plain.new_page()
    bare.goto(f"/ui/webhooks/{webhook}")
    bare.get_by_role("link", name="second").click()
    expect(bare.get_by_role("heading", level=1)).to_have_text("Delivery of second")
    bare.get_by_role("button", name="Redeliver").click()
    expect(bare.get_by_text("This is the new delivery")).to_be_visible()
    plain.close()


def test_curl_sends_the_same_bytes_and_headers(
    page: Page, dashboard: Server, webhook: str, receiver: Receiver, tmp_path: Path
) -> None:
    page.goto(f"/ui/deliveries/{first_delivery(dashboard, webhook)}?attempt=3")
    page.get_by_text("Copy as curl").click()
    command = page.get_by_label("curl command").inner_text()
    sent = next(one for one in receiver.requests if one.headers["x-elasticlake-attempt"] == "3")
    before = len(receiver.requests)
    ran = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=clean_environment(), capture_output=True, timeout=30, check=False
    )
    assert ran.returncode == 0, ran.stderr
    again = eventually(lambda: receiver.requests[before:])[0]
    assert again.body == sent.body
    assert again.path == sent.path
    assert again.headers == sent.headers


def test_the_page_shows_the_request_that_came(page: Page, dashboard: Server, webhook: str, receiver: Receiver) -> None:
    page.goto(f"/ui/deliveries/{first_delivery(dashboard, webhook)}?attempt=3")
    sent = next(one for one in receiver.requests if one.headers["x-elasticlake-attempt"] == "3")
    assert page.get_by_label("Request body").inner_text() == sent.body.decode()
    shown = page.get_by_label("Request headers")
    for name, value in sent.headers.items():
        expect(shown).to_contain_text(re.compile(rf"{re.escape(name)}:\s+{re.escape(value)}", re.IGNORECASE))
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the body").click()
    assert Path(downloading.value.path()).read_bytes() == sent.body


@pytest.mark.parametrize(
    ("language", "command"),
    [("Python", [sys.executable, "-c"]), pytest.param("Node", ["node", "-e"], marks=pytest.mark.needs_node)],
)
def test_snippets_verify_this_very_request(
    page: Page, dashboard: Server, webhook: str, language: str, command: list[str]
) -> None:
    page.goto(f"/ui/deliveries/{first_delivery(dashboard, webhook)}")
    page.get_by_text(f"Verify in {language}").click()
    text = page.get_by_label(f"{language} program").inner_text()
    for secret, verdict in ((SECRET, "verified"), ("another", "NOT verified")):
        program = text.replace("the webhook's secret", secret)
        ran = subprocess.run([*command, program], capture_output=True, text=True, timeout=60, check=False)
        assert (ran.stdout.strip(), ran.stderr) == (verdict, "")


def test_it_is_redelivered_from_the_drawer(page: Page, webhook: str, receiver: Receiver) -> None:
    page.goto(f"/ui/webhooks/{webhook}")
    page.get_by_role("link", name="second").click()
    page.get_by_role("dialog", name="Delivery").get_by_role("button", name="Redeliver").click()
    expect(page.get_by_text("This is the new delivery: it is sent at once.")).to_be_visible()
    expect(page.get_by_text("redelivery", exact=True)).to_be_visible()
    eventually(lambda: [one for one in receiver.requests if "x-elasticlake-redelivery" in one.headers])
