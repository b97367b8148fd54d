"""The audit log and the system, as operators see them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.conftest import sign_in
from tests.integration.server import ACCESS_KEY, Server

pytestmark = pytest.mark.needs_chromium


@pytest.fixture(scope="module", autouse=True)
def history(dashboard: Server) -> str:
    """Sixty accounts, a lake and a webhook; returns the webhook's id."""
    for number in range(60):
        body = {"id": f"acct{number}", "displayName": "An account", "email": "a@example.com"}
        dashboard.request("POST", "/v1/accounts", body)
    dashboard.request("POST", "/v1/buckets", {"bucket": "lake1--pond1--photos"})
    new = {"bucket": "lake1--pond1--photos", "endpoint": "http://127.0.0.1:1/", "events": ["object:created"]}
    made = dashboard.request("POST", "/v1/webhooks", new)
    dashboard.request("PATCH", f"/v1/webhooks/{made['id']}", {"name": "<b>hook</b>"})
    return str(made["id"])


def entries(page: Page) -> list[str]:
    """The rows, without when."""
    rows = page.get_by_role("row").all()[1:]
    return [" ".join(row.get_by_role("cell").all_inner_texts()[1:]) for row in rows]


def test_the_newest_comes_first_in_pages(page: Page, history: str) -> None:
    page.goto("/ui/activity")
    first = entries(page)
    assert first[0].startswith(f"token root changed webhook {history}")
    assert len(first) == 50
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=**")
    following = entries(page)
    assert following[-1].startswith("token root made account acct0")
    assert not set(first) & set(following)


def test_filters_narrow_it(page: Page, history: str) -> None:
    page.goto("/ui/activity")
    page.get_by_label("What", exact=True).select_option("Webhooks: anything")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_label("What", exact=True).select_option("")
    page.get_by_label("To what").fill("account:acct7")
    page.get_by_role("button", name="Filter").click()
    assert entries(page) == ["token root made account acct7 "]
    page.get_by_label("Who").fill("dashboard")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="Nothing like that")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    assert len(entries(page)) == 50


def test_days_are_filters_too(page: Page) -> None:
    today = datetime.now(UTC).date().isoformat()
    page.goto(f"/ui/activity?since={today}&until={today}")
    assert len(entries(page)) == 50
    page.goto("/ui/activity?until=2020-01-31")
    expect(page.get_by_role("heading", name="Nothing like that")).to_be_visible()
    page.goto("/ui/activity?since=never")
    expect(page.get_by_text("Write a day as 2026-01-31.")).to_be_visible()


def test_what_is_done_here_says_by_whom(page: Page, context: BrowserContext) -> None:
    page.goto("/ui/")
    page.get_by_role("button", name="New lake").click()
    page.get_by_label("Slug").fill("done-here")
    page.get_by_role("button", name="Make the lake").click()
    page.wait_for_url("**/ui/lakes/done-here")
    page.goto("/ui/activity")
    assert entries(page)[0].startswith("the dashboard made lake done-here")
    page.get_by_role("link", name="done-here").click()
    expect(page.get_by_role("heading", name="done-here")).to_be_visible()


def test_a_key_that_signed_in_is_named(context: BrowserContext, dashboard: Server) -> None:
    key = dashboard.request("POST", "/v1/accounts/acct1/keys", {})
    page = context.new_page()
    sign_in(page, key["secretAccessKey"], key["accessKeyId"])
    page.get_by_role("button", name="New bucket").click()
    page.get_by_label("Name", exact=True).fill("ours--a--bucket")
    page.get_by_role("button", name="Make the bucket").click()
    page.goto("/ui/activity")
    assert entries(page)[0].startswith(f"access key {key['accessKeyId']} made bucket ours--a--bucket")
    # Of the other accounts it sees nothing.
    assert [entry for entry in entries(page) if "acct2" in entry] == []
    names = page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    assert names == ["Storage", "Webhooks", "Access", "Activity"]


def test_the_system_shows_what_runs(page: Page, dashboard: Server) -> None:
    page.goto("/ui/system")
    expect(page.get_by_role("heading", name="System healthy")).to_be_visible()
    known = dashboard.request("GET", "/v1/system")
    for node in known["nodes"]:
        expect(page.get_by_role("row").filter(has_text=node["name"]).first).to_contain_text("lives")
    expect(page.get_by_text(f"ElasticLake {known['version']}")).to_be_visible()
    expect(page.get_by_text(f"{known['engine']['name']} {known['engine']['version']}")).to_be_visible()
    expect(page.get_by_text("400 days")).to_be_visible()
    assert ACCESS_KEY not in page.content()
