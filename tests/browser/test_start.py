"""The first visit: from an empty server to a caught, verified event."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import ACCESS_KEY, API_TOKEN, SECRET_KEY, sign_in
from tests.integration.server import Server, clean_environment

pytestmark = pytest.mark.needs_chromium
NODE = Path(__file__).parents[1] / "node"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that others reach by a name."""
    folder = tmp_path_factory.mktemp("public")
    running = Server(folder / "data", "--public-url", "https://storage.example").start()
    yield running
    running.close()


def go_through(page: Page) -> None:
    """From an empty server to the first event, by clicks alone."""
    page.get_by_role("link", name="Start here").click()
    expect(page.get_by_role("button", name="Make the webhook")).to_be_disabled()
    page.get_by_role("button", name="Make the bucket").click()
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.get_by_role("status").last).to_have_text("Waiting for the first event")
    page.get_by_role("button", name="Upload hello.txt").click()


def test_a_wrong_name_is_said_beside_its_field(page: Page) -> None:
    page.goto("/ui/start")
    page.get_by_label("Name").fill("Not A Name")
    page.get_by_role("button", name="Make the bucket").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name")).to_have_value("Not A Name")
    expect(page.locator("#w-bucket")).to_be_visible()


def test_from_an_empty_server_to_a_verified_event(page: Page, dashboard: Server) -> None:
    expect(page.get_by_role("heading", name="No bucket yet")).to_be_visible()
    go_through(page)
    caught = page.get_by_role("article", name="object:created")
    expect(caught.get_by_text("signature verified")).to_be_visible()
    expect(caught.get_by_label("Body")).to_contain_text('"key": "elasticlake-start/hello.txt"')
    expect(caught.get_by_text("X-ElasticLake-Signature")).to_be_visible()
    expect(page.get_by_text("1 request caught")).to_be_visible()
    (webhook,) = dashboard.request("GET", "/v1/webhooks")["items"]
    assert webhook["endpoint"].startswith("http://127.0.0.1:")


def test_later_events_appear_by_themselves(page: Page, dashboard: Server) -> None:
    page.goto("/ui/start")
    expect(page.get_by_text("1 request caught")).to_be_visible()
    page.get_by_role("article").get_by_text("Headers and body").click()
    dashboard.request("POST", f"/v1/webhooks/{webhook_id(dashboard)}/test")
    expect(page.get_by_text("2 requests caught")).to_be_visible()
    first, second = page.get_by_role("article").all()
    expect(first.get_by_text("signature verified")).to_be_visible()
    expect(first.get_by_label("Body")).to_be_visible()
    expect(second.get_by_label("Body")).to_be_hidden()  # as its reader left it


def test_what_is_caught_is_text(page: Page, dashboard: Server) -> None:
    page.goto("/ui/start")
    name = "<img src=x onerror=alert(1)>"
    dashboard.request("PATCH", "/v1/lakes/lake1", {"name": name})
    page.get_by_role("button", name="Upload hello.txt").click()
    expect(page.get_by_role("article").first.get_by_label("Body")).to_contain_text(name)
    assert page.locator("#caught img").count() == 0


def test_without_a_script_the_page_refreshes(browser: Browser, dashboard: Server) -> None:
    context = browser.new_context(base_url=dashboard.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/ui/start")
    page.get_by_label("Text of hello.txt").fill("Once more.")
    page.get_by_role("button", name="Upload hello.txt").click()
    expect(page.get_by_role("article", name="object:updated").first).to_be_visible()
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("article", name="object:updated").first).to_be_visible()
    context.close()


def test_the_webhook_can_be_deleted_and_made_again(page: Page, dashboard: Server) -> None:
    page.goto("/ui/start")
    page.get_by_role("button", name="Delete the webhook").click()
    expect(page.get_by_text("The webhook was deleted.")).to_be_visible()
    assert dashboard.request("GET", "/v1/webhooks")["items"] == []
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()
    expect(page.get_by_role("heading", name="See it arrive (done)")).to_have_count(0)
    dashboard.request("POST", f"/v1/webhooks/{webhook_id(dashboard)}/test")
    expect(page.get_by_role("heading", name="See it arrive (done)")).to_be_visible()
    page.get_by_role("button", name="Upload hello.txt").click()
    expect(page.get_by_text("2 requests caught")).to_be_visible()


def test_after_a_restart_the_same_webhook_is_caught_again(page: Page, dashboard: Server) -> None:
    before = webhook_id(dashboard)
    dashboard.stop()
    dashboard.start()
    page.goto("/ui/start")
    page.get_by_role("button", name="Make the webhook").click()
    page.get_by_role("button", name="Upload hello.txt").click()
    expect(page.get_by_text("signature verified").first).to_be_visible()
    assert webhook_id(dashboard) == before
    assert len(dashboard.request("GET", "/v1/webhooks")["items"]) == 1


def test_by_keyboard_alone(page: Page, dashboard: Server) -> None:
    """Who has done a step finds the next one under the keys."""
    dashboard.request("DELETE", f"/v1/webhooks/{webhook_id(dashboard)}")
    page.goto("/ui/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page, "Start here")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/start")
    tab_to(page, "Make the webhook")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Upload hello.txt")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#caught")).to_be_focused()
    expect(page.get_by_role("article", name="object:updated")).to_be_visible()


def test_a_public_server_offers_no_catcher(browser: Browser, public: Server) -> None:
    context = browser.new_context(base_url=public.url)
    page = context.new_page()
    sign_in(page)
    page.goto("/ui/start")
    page.get_by_role("button", name="Make the bucket").click()
    expect(page.get_by_label("Forward events to a program")).to_contain_text("elasticlake listen --bucket lake1--pond1")
    expect(page.get_by_role("link", name="New webhook")).to_be_visible()
    expect(page.get_by_role("button", name="Make the webhook")).to_have_count(0)
    expect(page.get_by_label("Environment for S3 tools")).to_contain_text("AWS_ENDPOINT_URL=https://storage.example")
    context.close()


@pytest.mark.parametrize("tool", ["Python", "aws CLI", "curl"])
def test_a_snippet_runs_as_it_is_shown(page: Page, tmp_path: Path, tool: str) -> None:
    text = shown(page, tool)
    if tool == "Python":
        (tmp_path / "code.py").write_text(text)
        text = f"{sys.executable} code.py"
    assert "Hello, lake!" in in_shell(page, text + "\naws s3 cp s3://lake1--pond1--my-bucket/hello.txt -", tmp_path)


@pytest.mark.needs_node
def test_the_snippet_in_javascript_runs_as_it_is_shown(page: Page, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    (tmp_path / "code.mjs").write_text(shown(page, "JavaScript"))
    assert "Hello, lake!" in in_shell(page, "node code.mjs", tmp_path)


def test_the_snippet_for_the_rest_api_runs_as_it_is_shown(page: Page, dashboard: Server, tmp_path: Path) -> None:
    text = shown(page, "REST API").replace("YOUR-API-TOKEN", API_TOKEN)
    # The name is the internet's, and this machine may reach none.
    ran = in_shell(page, text.replace("https://myapp.com", "http://127.0.0.1:1"), tmp_path)
    assert '"secret":"whsec_' in ran.replace(" ", "")
    assert SECRET_KEY not in page.content()
    made = re.search(r'"id": ?"(wh_\w+)"', ran)
    assert made is not None
    dashboard.request("DELETE", f"/v1/webhooks/{made[1]}")


def shown(page: Page, tool: str) -> str:
    page.goto("/ui/start")
    label = page.get_by_label(tool, exact=True)
    if not label.is_visible():
        page.locator("summary").filter(has_text=re.compile(f"^{tool}")).click()
    return label.inner_text()


def in_shell(page: Page, commands: str, folder: Path) -> str:
    """What the commands print in the environment that the page shows, with the secret filled in."""
    environment = page.get_by_label("Environment for S3 tools").inner_text()
    assert ACCESS_KEY in environment
    script = environment.replace("YOUR-SECRET-ACCESS-KEY", SECRET_KEY) + "\n" + commands
    home = clean_environment(HOME=str(folder), AWS_EC2_METADATA_DISABLED="true")
    home["PATH"] = f"{Path(sys.executable).parent}:{home['PATH']}"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=home, cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def webhook_id(dashboard: Server) -> str:
    return str(dashboard.request("GET", "/v1/webhooks")["items"][0]["id"])


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has that name is focused."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"no Tab leads to {name}")
