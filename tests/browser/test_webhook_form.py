"""Making a webhook in the dashboard: from an empty server to a verified test, faults, the live panel, editing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.browser.conftest import sign_in
from tests.certificates import Authority
from tests.integration.conftest import s3_client
from tests.integration.founding_page import RECEIVE
from tests.integration.receiver import Received, Receiver
from tests.integration.server import Server

from elasticlake import signing

pytestmark = pytest.mark.needs_chromium

BUCKET = "lake1--pond1--my-bucket"
NEW = f"/ui/webhooks/new?bucket={BUCKET}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    listening = Receiver()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def bucket(dashboard: Server) -> str:
    """The bucket, with three events in its log."""
    s3 = s3_client(dashboard)
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket="lake1--pond1--other")
    for key, size in (("uploads/a.pdf", 10), ("uploads/b.jpg", 2000), ("exports/c.csv", 30)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x" * size)
    return BUCKET


def verifies(received: Received, secret: str) -> bool:
    """What the founding page's own function says."""
    names: dict[str, Any] = {}
    exec(RECEIVE.partition("# In your webhook handler")[0], names)
    signature = received.headers["x-elasticlake-signature"]
    return bool(names["verify_webhook"](received.body.decode(), signature, secret))


def field_of(page: Page, control: Locator) -> Locator:
    return page.locator(".field").filter(has=control).last


def test_from_an_empty_server_to_a_verified_test(page: Page, receiver: Receiver) -> None:
    page.get_by_role("button", name="New bucket").click()
    page.get_by_role("dialog").get_by_label("Name").fill("lake1--pond1--first")
    page.get_by_role("button", name="Make the bucket").click()
    page.wait_for_url("**/ui/buckets/lake1--pond1--first")
    page.goto("/ui/buckets/lake1--pond1--first/settings")
    page.get_by_role("link", name="Webhooks", exact=True).last.click()
    expect(page.get_by_role("heading", name="No webhook yet")).to_be_visible()
    page.get_by_role("link", name="New webhook").first.click()
    page.get_by_label("Endpoint").fill(receiver.url("/webhooks/storage"))
    page.get_by_role("checkbox", name="object:updated").uncheck()
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("It has arrived: the endpoint answered 200")).to_be_visible()
    secret = page.get_by_label("The webhook's secret").inner_text()
    received = receiver.wait_for(1, "/webhooks/storage")[0]
    assert secret.startswith("whsec_")
    assert verifies(received, secret)
    assert received.event["test"] is True
    assert received.event["bucket"] == "lake1--pond1--first"
    request = page.get_by_label("Request as it was sent").inner_text()
    assert request.endswith(received.body.decode())
    assert received.headers["x-elasticlake-signature"] in request
    assert f"WEBHOOK_SECRET = '{secret}'" in page.get_by_label("Verification in Python").inner_text()
    page.reload()
    expect(page.get_by_text("It has arrived")).to_be_visible()
    assert secret not in page.content()


def test_a_secret_of_one_s_own(page: Page, receiver: Receiver, bucket: str) -> None:
    page.goto(NEW)
    page.get_by_label("Endpoint").fill(receiver.url("/own"))
    page.get_by_label("My own secret").fill("my-webhook-secret")
    expect(page.get_by_label("Use my own")).to_be_checked()
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("It has arrived")).to_be_visible()
    assert verifies(receiver.wait_for(1, "/own")[0], "my-webhook-secret")
    assert "my-webhook-secret" not in page.content()


def test_no_event_is_said_at_once(page: Page, bucket: str) -> None:
    page.goto(NEW)
    events = page.get_by_role("group", name="Events")
    for name in ("object:created", "object:updated", "object:deleted"):
        page.get_by_role("checkbox", name=name).uncheck()
    expect(events.get_by_text("Choose at least one event.")).to_be_visible()
    expect(events).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Tags")).to_have_count(0)
    page.get_by_role("checkbox", name="object:deleted").check()
    expect(events.get_by_text("Choose at least one event.")).to_have_count(0)


def test_every_fault_is_beside_its_field_and_nothing_is_lost(page: Page, bucket: str) -> None:
    page.goto(NEW)
    for summary in page.locator("main summary").all():
        summary.click()
    typed = {
        "Endpoint": ("ftp://example.com", "absolute https"),
        "Listens to": ("lake1--pond1--none", None),
        "My own secret": ("whsec_!", "whsec_"),
        "Content type": ("pictures", "media type"),
        "At least": ("many", "Write bytes"),
        "Metadata": ("department", "name=value"),
        "Expression (CEL)": ("object.size >", "At character"),
        "Time limit": ("99", "1 to 30"),
        "Attempts a second, at most": ("fast", "Write a number"),
        "Attempts at once, at most": ("1000", "1 to 32"),
        "Waits between attempts": ("5s, soon", "“soon” is no time"),
        "Events in one request, at most": ("100", "goes with ordering bucket"),
        "Wait for more": ("7", None),
        "A link to the object that lives for": ("1s", "The link lives"),
        "Headers of your own": ("Host: elsewhere", "set by the delivery itself"),
        "Client certificate": ("none", "go together"),
        "Certificate authority": ("nobody", "no certificate in PEM"),
    }
    for label, (text, _) in typed.items():
        page.get_by_label(label, exact=True).fill(text)
    for name in ("object:created", "object:updated", "object:deleted"):
        page.get_by_role("checkbox", name=name).uncheck()
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_role("alert").first).to_contain_text("fields to look at")
    for label, (text, words) in typed.items():
        control = page.get_by_label(label, exact=True)
        expect(control).to_have_value(text)
        expect(control).to_be_visible()
        if words is not None:
            expect(page.locator("main")).to_contain_text(words)
    expect(field_of(page, page.get_by_label("At least", exact=True)).locator(".fault")).to_contain_text("Write bytes")
    expect(page.get_by_label("Expression (CEL)")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-live=events] .fault")).to_contain_text("Choose at least one")
    page.get_by_role("checkbox", name="object:created").check()
    expect(page.locator("[data-live=events] .fault")).to_have_count(0)


def test_a_place_that_is_not_there(page: Page, bucket: str, receiver: Receiver) -> None:
    page.goto("/ui/webhooks/new")
    page.get_by_label("Kind of place").select_option("pond")
    page.get_by_label("Listens to").fill("lake1--nowhere")
    page.get_by_label("Endpoint").fill(receiver.url())
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-live=place] .fault")).to_contain_text("no pond lake1--nowhere")


def test_the_panel_follows_what_is_typed(page: Page, bucket: str) -> None:
    page.goto(NEW)
    panel = page.locator("#matches")
    expect(panel).to_contain_text("would be sent")
    page.get_by_label("Key begins with").fill("exports/")
    expect(panel.locator(".yes")).to_have_count(1)
    expect(panel.locator(".no").first).to_contain_text("The key begins otherwise")
    page.get_by_label("Key begins with").fill("")
    page.get_by_text("More filters").click()
    expression = page.get_by_label("Expression (CEL)")
    expression.fill("object.size > ")
    fault = field_of(page, expression).locator(".fault")
    expect(fault).to_contain_text("At character")
    expect(panel).to_contain_text("See what is wrong")
    expression.fill("true &&\nobject.sizes > 1")
    expect(fault).to_contain_text("At line 2, character ")
    fault.get_by_role("button", name="Go there").click()
    expect(expression).to_be_focused()
    named = int(re.findall(r"character (\d+)", fault.inner_text())[0])
    assert expression.evaluate("box => box.selectionStart") == len("true &&\n") + named - 1
    expression.fill("object.size > 1000")
    expect(fault).to_have_count(0)
    expect(panel.locator(".yes")).to_have_count(1)
    expect(panel.locator(".yes")).to_contain_text("uploads/b.jpg")
    page.get_by_label("Kind of place").select_option("lake")
    page.get_by_label("Listens to").fill("lake1")
    expect(page.get_by_label("Try it on the events of")).to_be_visible()


def test_the_panel_without_a_script(browser: Browser, dashboard: Server, bucket: str) -> None:
    context = browser.new_context(base_url=dashboard.url, java_script_enabled=False)
    try:
        page = context.new_page()
        sign_in(page)
        page.goto(NEW)
        page.get_by_label("Key begins with").fill("exports/")
        page.get_by_role("button", name="Show what would match").click()
        expect(page.locator("#matches .yes")).to_have_count(1)
        expect(page.get_by_label("Key begins with")).to_have_value("exports/")
    finally:
        context.close()


def test_an_edit_keeps_what_it_does_not_show(page: Page, dashboard: Server, bucket: str, receiver: Receiver) -> None:
    client = Authority().issue()
    body = {
        "bucket": bucket, "endpoint": receiver.url("/edit"), "events": ["object:created"], "secret": "kept-secret",
        "headers": {"Authorization": "Bearer kept", "X-Old": "old"}, "clientCertificate": client.certificate,
        "clientKey": client.key, "filter": {"prefix": [" a\nb ", "uploads/"], "tags": {}, "minSize": 1},
        "where": "object.size > 0\n&& true", "retrySchedule": [0.5, 90, 7200], "rateLimit": 0.25, "includeUrl": 300,
        "timeoutSeconds": 2.5, "onDead": "pause",
    }  # fmt: skip
    made = dashboard.request("POST", "/v1/webhooks", body)
    path = f"/v1/webhooks/{made['id']}"
    changes = {"revision", "updatedAt", "standing"}

    def seen() -> dict[str, Any]:
        return {name: value for name, value in dashboard.request("GET", path).items() if name not in changes}

    before = seen()
    page.goto(f"/ui/webhooks/{made['id']}/edit")
    assert "Bearer kept" not in page.content()
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("It has arrived")).to_be_visible()
    assert seen() == before
    received = receiver.wait_for(1, "/edit")[0]
    assert verifies(received, "kept-secret")
    assert received.headers["authorization"] == "Bearer kept"

    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.get_by_label("Headers of your own")).to_have_value("Authorization: ***\nX-Old: ***")
    page.get_by_label("Headers of your own").fill("Authorization: ***\nX-New: new")
    page.get_by_label("Client certificate").fill("")
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("It has arrived")).to_be_visible()
    received = receiver.wait_for(2, "/edit")[1]
    assert (received.headers["authorization"], received.headers["x-new"]) == ("Bearer kept", "new")
    assert "x-old" not in received.headers
    assert (seen()["clientCertificate"], seen()["clientKey"]) == (None, None)


def test_a_test_that_takes_its_time(page: Page, bucket: str) -> None:
    slow = Receiver()
    slow.answer = lambda _: __import__("time").sleep(4) or 200  # longer than the form waits
    try:
        page.goto(NEW)
        page.get_by_label("Endpoint").fill(slow.url("/slow"))
        page.get_by_role("button", name="Save and test").click()
        expect(page.get_by_text("The test is under way")).to_be_visible()
        assert signing.SECRET_PREFIX in page.get_by_label("The webhook's secret").inner_text()
        expect(page.get_by_text("It has arrived")).to_be_visible()
        assert signing.SECRET_PREFIX in page.get_by_label("The webhook's secret").inner_text()
    finally:
        slow.close()


def test_the_tab_shows_whose_webhooks_a_bucket_has(page: Page, dashboard: Server, bucket: str) -> None:
    for place in ({"pond": "lake1--pond1"}, {"lake": "lake1"}):
        body = {**place, "endpoint": "http://127.0.0.1:9/" + next(iter(place)), "events": ["object:deleted"]}
        dashboard.request("POST", "/v1/webhooks", body)
    page.goto(f"/ui/buckets/{bucket}/settings/webhooks")
    for kind in ("pond", "lake"):
        section = page.get_by_role("region", name=re.compile(f"From the {kind}"))
        expect(section.get_by_role("link", name=f"http://127.0.0.1:9/{kind}")).to_be_visible()
    page.goto("/ui/webhooks")
    expect(page.get_by_role("row").filter(has_text="127.0.0.1:9/pond").get_by_text("active")).to_be_visible()
