"""Replays and backfills in a browser: counted, started, watched, canceled."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.integration.receiver import Receiver
from tests.integration.server import Server

pytestmark = pytest.mark.needs_chromium

_numbers = itertools.count(1)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"lake1--pond1--j{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def webhook(dashboard: Server, bucket: str, receiver: Receiver) -> str:
    body = {"bucket": bucket, "endpoint": receiver.url(), "events": ["object:created", "object:updated"]}
    return str(dashboard.request("POST", "/v1/webhooks", body)["id"])


def test_a_replay_is_counted_watched_and_canceled(
    page: Page, dashboard: Server, webhook: str, bucket: str, s3: Any, receiver: Receiver
) -> None:
    for number in range(12):
        s3.put_object(Bucket=bucket, Key=f"in/{number}", Body=b"1")
    s3.put_object(Bucket=bucket, Key="out", Body=b"1")
    receiver.wait_for(13)
    page.goto(f"/ui/webhooks/{webhook}")
    page.get_by_role("link", name="Replay…").click()
    page.get_by_label("Keys that begin with").fill("in/")
    page.get_by_label("From sequence").fill("3")
    page.get_by_label("object:created").check()
    page.get_by_label("Deliveries a second").fill("0")
    page.get_by_role("button", name="Count what would be sent").click()
    expect(page.get_by_text("It is a number of deliveries a second")).to_be_visible()
    page.get_by_label("Deliveries a second").fill("2")
    page.get_by_label("Give the events new ids").check()
    page.get_by_role("button", name="Count what would be sent").click()
    expect(page.get_by_text("10 events would be sent")).to_be_visible()
    # Of anything else it is not known how much it is.
    page.get_by_label("Keys that begin with").fill("in/1")
    expect(page.get_by_text("events would be sent")).to_have_count(0)
    expect(page.get_by_role("button", name="Start the replay")).to_have_count(0)
    page.get_by_label("Keys that begin with").fill("in/")
    page.get_by_role("button", name="Count again").click()
    expect(page.get_by_text("10 events would be sent")).to_be_visible()
    page.get_by_role("button", name="Start the replay").click()
    expect(page.get_by_role("progressbar", name="Progress of the replay")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[1-9] of 11 looked at"))).to_be_visible()
    page.get_by_role("button", name="Cancel the replay").click()
    expect(page.get_by_text("canceled", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the replay")).to_have_count(0)
    (job,) = dashboard.request("GET", f"/v1/jobs?webhook={webhook}")["items"]
    assert (job["status"], job["prefix"], job["fromSequence"], job["rateLimit"]) == ("canceled", "in/", 3, 2)
    assert (job["freshIds"], job["events"]) == (True, ["object:created"])


def test_a_backfill_tells_of_what_there_is_and_its_progress_ends_by_itself(
    page: Page, webhook: str, bucket: str, s3: Any, receiver: Receiver
) -> None:
    for key in ("in/a", "in/b", "out"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    receiver.wait_for(3)
    page.goto(f"/ui/webhooks/{webhook}")
    page.get_by_role("link", name="Backfill…").click()
    page.get_by_label("Keys that begin with").fill("in/")
    page.get_by_label("Deliveries a second").fill("1")
    page.get_by_role("button", name="Count what would be sent").click()
    expect(page.get_by_text("2 events would be sent")).to_be_visible()
    page.get_by_role("button", name="Start the backfill").click()
    expect(page.get_by_text("running", exact=True)).to_be_visible()
    expect(page.get_by_text("completed", exact=True)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="The backfill is completed.")).to_be_attached()
    expect(page.get_by_role("button", name="Cancel the backfill")).to_have_count(0)
    assert [one.event.get("backfill") for one in receiver.wait_for(5)[3:]] == [True, True]
    page.get_by_role("link", name="Replays and backfills").click()
    expect(page.get_by_role("link", name="Backfill 1")).to_be_visible()
