"""What a browser without scripts can do: dialogs are parts of the page that links lead to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import TIMEOUT_MS, sign_in
from tests.integration.server import Server

pytestmark = pytest.mark.needs_chromium

BUCKET = "lake1--pond1--plain"


@pytest.fixture
def page(browser: Browser, dashboard: Server) -> Iterator[Page]:
    """Signed in, in a browser that runs no script."""
    context = browser.new_context(base_url=dashboard.url, java_script_enabled=False)
    context.set_default_timeout(TIMEOUT_MS)
    opened = context.new_page()
    sign_in(opened)
    yield opened
    context.close()


def test_a_bucket_is_made(page: Page, dashboard: Server) -> None:
    expect(page.get_by_role("button", name="Make the bucket")).to_be_hidden()
    page.get_by_role("link", name="New bucket").click()
    name = page.locator("#new-bucket").get_by_label("Name")
    name.fill("Not A Name")
    page.get_by_role("button", name="Make the bucket").click()
    expect(page.locator("#w-bucket")).to_be_visible()
    name.fill(BUCKET)
    page.get_by_role("button", name="Make the bucket").click()
    expect(page.get_by_role("heading", name="plain")).to_be_visible()
    assert dashboard.request("GET", f"/v1/buckets/{BUCKET}")["bucket"] == BUCKET


def test_a_dialog_is_left_again(page: Page) -> None:
    page.get_by_role("link", name="New lake").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("button", name="Make the lake")).to_be_hidden()


def test_a_webhook_is_deleted(page: Page, dashboard: Server) -> None:
    hook = {"bucket": BUCKET, "endpoint": "http://127.0.0.1:1/", "events": ["object:created"]}
    webhook = dashboard.request("POST", "/v1/webhooks", hook)["id"]
    page.goto(f"/ui/webhooks/{webhook}")
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete the webhook").click()
    page.wait_for_url("**/ui/webhooks")
    assert dashboard.request("GET", "/v1/webhooks")["items"] == []
