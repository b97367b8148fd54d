"""A webhook's page in a browser: a failing endpoint seen, mended and redelivered; rotation; pausing."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.integration.receiver import Received, Receiver, eventually
from tests.integration.server import Server

from elasticlake import signing

pytestmark = pytest.mark.needs_chromium

ALL = ["object:created", "object:updated", "object:deleted"]
_numbers = itertools.count(1)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"lake1--pond1--b{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def webhook(dashboard: Server, bucket: str, receiver: Receiver) -> str:
    """One that gives up after one attempt, and whose secret is known."""
    body = {
        "bucket": bucket,
        "endpoint": receiver.url(),
        "events": ALL,
        "retrySchedule": [],
        "secret": "the old secret",
    }
    return str(dashboard.request("POST", "/v1/webhooks", body)["id"])


def rows(page: Page, words: str) -> Locator:
    """The rows of the log that have these words."""
    return page.get_by_role("region", name="Deliveries", exact=True).locator("tbody tr").filter(has_text=words)


def fact(page: Page, name: str) -> Locator:
    return page.locator(".fact").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def test_a_failing_endpoint_is_seen_mended_and_all_failed_are_sent_again(
    page: Page, webhook: str, bucket: str, s3: Any, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    page.goto(f"/ui/webhooks/{webhook}")
    expect(page.get_by_text("Nothing was attempted yet")).to_be_visible()
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    # It comes by itself: the log, how it stands, and why.
    expect(rows(page, "dead")).to_have_count(3)
    expect(rows(page, "500")).to_have_count(3)
    standing = page.get_by_role("region", name="How it stands")
    expect(standing).to_contain_text("failing")
    expect(standing).to_contain_text("the receiver answered 500")
    expect(fact(page, "Success, 24 h")).to_contain_text("0 %")
    page.reload()
    expect(
        page.get_by_role("img", name=re.compile("Attempts of the last 24 hours: 0 delivered, 3 failed"))
    ).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table", name="Attempts of the last 24 hours")).to_contain_text("3 5xx")

    receiver.answer = lambda _: 200
    page.get_by_role("link", name="Redeliver all failed since…").click()
    expect(page.get_by_label("Those that were given up (dead)")).to_be_checked()
    expect(page.get_by_label("Events from (UTC)")).not_to_have_value("")
    expect(page.get_by_text("3 events would be sent")).to_be_visible()
    assert len(receiver.requests) == 3
    log = page.context.new_page()
    log.goto(f"/ui/webhooks/{webhook}")
    page.get_by_role("button", name="Start the replay").click()
    expect(page.get_by_text("The replay has begun.")).to_be_visible()
    expect(page.get_by_text("completed", exact=True)).to_be_visible()
    expect(page.get_by_text("3 to send, 3 delivered, 0 failed")).to_be_visible()
    # The log that somebody has open says so, of the new deliveries and of the old.
    expect(rows(log, "replay")).to_have_count(3)
    expect(rows(log, "delivered")).to_have_count(6)
    expect(rows(log, "dead")).to_have_count(0)
    expect(log.get_by_role("region", name="How it stands")).to_contain_text("active")
    assert [one.headers.get("x-elasticlake-replay", "")[:4] for one in receiver.wait_for(6)[3:]] == ["job_"] * 3


def test_the_live_log_can_be_paused_and_says_what_came(page: Page, webhook: str, bucket: str, s3: Any) -> None:
    page.goto(f"/ui/webhooks/{webhook}")
    s3.put_object(Bucket=bucket, Key="first", Body=b"1")
    expect(rows(page, "first")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 delivery has news.")).to_be_attached()
    live = page.get_by_role("button", name="Live updates")
    live.click()
    expect(live).to_have_attribute("aria-pressed", "true")
    s3.put_object(Bucket=bucket, Key="second", Body=b"1")
    fact_delivered = fact(page, "Delivered so far")
    expect(fact_delivered).to_contain_text("2")
    expect(rows(page, "second")).to_have_count(0)
    live.click()
    expect(rows(page, "second")).to_have_count(1)
    # The newest is on top, and a filtered log is live as well.
    expect(rows(page, "").first).to_contain_text("second")
    page.get_by_label("Key", exact=True).fill("th")
    page.get_by_label("How the key is compared").select_option("begins with")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No such delivery")).to_be_visible()
    for key in ("other", "third"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    expect(rows(page, "third")).to_have_count(1)
    expect(rows(page, "other")).to_have_count(0)


def test_the_selected_are_sent_again(page: Page, webhook: str, bucket: str, s3: Any, receiver: Receiver) -> None:
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    receiver.wait_for(3)
    page.goto(f"/ui/webhooks/{webhook}?event=object:created")
    expect(rows(page, "delivered")).to_have_count(3)
    button = page.get_by_role("button", name="Redeliver the selected")
    expect(button).to_be_disabled()
    page.get_by_label("Select all that are shown").check()
    page.get_by_label(re.compile("^Select object:created . of b$")).uncheck()
    button.click()
    expect(page.get_by_text("2 deliveries are sent again.")).to_be_visible()
    expect(page).to_have_url(re.compile("event=object"))
    expect(rows(page, "redelivery")).to_have_count(2)
    sent = [one.event["object"]["key"] for one in receiver.wait_for(5)[3:]]
    assert sorted(sent) == ["a", "c"]


def verifies(received: Received, secret: str) -> tuple[bool, bool]:
    """Whether the secret verifies the page's signature, and one of the standard's."""
    head, body = received.headers, received.body
    expected = signing.standard_signature(secret, head["webhook-id"], int(head["webhook-timestamp"]), body)
    return (
        head["x-elasticlake-signature"] == signing.page_signature(secret, body),
        expected in head["webhook-signature"].split(" "),
    )


def test_a_rotation_shows_the_secret_once_counts_down_and_is_promoted(
    page: Page, webhook: str, bucket: str, s3: Any, receiver: Receiver
) -> None:
    page.goto(f"/ui/webhooks/{webhook}")
    expect(page.get_by_text("there is nothing to reveal here")).to_be_visible()
    page.get_by_label("Both sign for").select_option("6 hours")
    page.get_by_role("button", name="Rotate the secret").click()
    secret = page.get_by_label("The webhook's new secret").inner_text().strip()
    assert secret.startswith("whsec_")
    page.reload()
    expect(page.get_by_text("this one was")).to_be_visible()
    page.get_by_role("link", name="Back to the webhook").click()
    overlap = page.locator("#overlap")
    expect(overlap).to_contain_text("Both secrets sign until")
    expect(overlap).to_contain_text(re.compile(r"in (5 h 59|6 h 00) min \d\d s"))
    shown = overlap.inner_text()
    expect(overlap).not_to_have_text(shown)

    s3.put_object(Bucket=bucket, Key="meanwhile", Body=b"1")
    (both,) = receiver.wait_for(1)
    assert verifies(both, "the old secret") == (True, True)
    assert verifies(both, secret) == (False, True)
    page.get_by_role("button", name="Promote the new secret now…").click()
    page.get_by_role("dialog").get_by_role("button", name="Promote it").click()
    expect(page.get_by_text("only the new secret signs")).to_be_visible()
    expect(overlap).to_have_count(0)
    s3.put_object(Bucket=bucket, Key="after", Body=b"1")
    after = receiver.wait_for(2)[1]
    assert verifies(after, secret) == (True, True)
    assert verifies(after, "the old secret") == (False, False)


def test_paused_it_waits_and_resumes_from_there_or_from_now(
    page: Page, webhook: str, bucket: str, s3: Any, receiver: Receiver
) -> None:
    def pause_and_put(key: str) -> None:
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.get_by_text("The webhook is paused.")).to_be_visible()
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
        expect(fact(page, "Waiting for a first attempt")).to_have_text("1")

    page.goto(f"/ui/webhooks/{webhook}")
    pause_and_put("waits")
    page.get_by_role("button", name="Resume from where it stopped").click()
    assert [one.event["object"]["key"] for one in receiver.wait_for(1)] == ["waits"]
    pause_and_put("skipped")
    page.get_by_role("button", name="Resume from now").click()
    expect(page.get_by_text("The webhook goes on with what happens from now on.")).to_be_visible()
    s3.put_object(Bucket=bucket, Key="told", Body=b"1")
    assert receiver.wait_for(2)[1].event["object"]["key"] == "told"


def test_what_waits_is_told_before_a_webhook_is_deleted(
    page: Page, dashboard: Server, webhook: str, bucket: str, s3: Any
) -> None:
    dashboard.request("PATCH", f"/v1/webhooks/{webhook}", {"status": "disabled"})
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    page.goto(f"/ui/webhooks/{webhook}")
    page.get_by_role("button", name="Delete…").click()
    asked = page.get_by_role("dialog", name="Delete this webhook?")
    expect(asked).to_contain_text("1 event at most.")
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    asked.get_by_role("button", name="Cancel").click()
    expect(asked).to_be_hidden()
    page.get_by_role("button", name="Delete…").click()
    asked.get_by_role("button", name="Delete the webhook").click()
    eventually(lambda: webhook not in [one["id"] for one in dashboard.request("GET", "/v1/webhooks")["items"]])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_nothing_sideways(page: Page, webhook: str, bucket: str, s3: Any, theme: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k" * 1024, Body=b"1")
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/ui/webhooks/{webhook}")
    expect(rows(page, "delivered")).to_have_count(1)
    address = rows(page, "delivered").get_by_role("link").get_attribute("href")
    for path in (
        f"/ui/webhooks/{webhook}",
        f"{address}",
        f"/ui/webhooks/{webhook}/replay",
        f"/ui/webhooks/{webhook}/jobs",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
